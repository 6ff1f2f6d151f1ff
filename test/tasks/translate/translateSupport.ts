import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makePicture, type Picture } from "../../../src/image/picture.ts";
import { type LoadedModel, modelOf } from "../../../src/modelFiles/model.ts";
import { packModel } from "../../../src/modelFiles/own.ts";
import { srcnn } from "../../../src/models/srcnn.ts";
import { network } from "../../../src/nn/model.ts";
import type { UseOf } from "../../../src/nn/use.ts";
import { writePicture } from "../../../src/platform/codec.ts";
import { tensor } from "../../../src/tensor/tensor.ts";

/** SRCNN of 1×1 kernels: three layers that hand colors on. */
export const inverter = (channels: 1 | 3) =>
  network(srcnn, { channels, features: channels, mapped: channels, kernels: [1, 1, 1], center: 0 });

/** Weights by which it turns x into 1 − x. */
export function invertingWeights(channels: 1 | 3) {
  const diagonal = (value: number) =>
    tensor(
      Float32Array.from({ length: channels ** 2 }, (_, i) => (i % (channels + 1) === 0 ? value : 0)),
      [channels, channels, 1, 1],
    );
  const flat = (value: number) => tensor(new Float32Array(channels).fill(value), [channels]);
  return {
    "srcnn/extract.weight": diagonal(1),
    "srcnn/extract.bias": flat(0),
    "srcnn/map.weight": diagonal(1),
    "srcnn/map.bias": flat(0),
    "srcnn/rebuild.weight": diagonal(-1),
    "srcnn/rebuild.bias": flat(1),
  };
}

export const usageOf = (usage: Partial<UseOf<"translate">> = {}): UseOf<"translate"> => ({
  task: "translate",
  from: "negatives",
  to: "positives",
  channels: 3,
  ...usage,
});

/** A network that inverts colors, whatever the size. */
export function invertingModel(usage: Partial<UseOf<"translate">> = {}): LoadedModel<UseOf<"translate">> {
  const full = usageOf(usage);
  return modelOf(inverter(full.channels), invertingWeights(full.channels), full, "inverter");
}

/** The same as a file in a folder. */
export async function invertingFile(folder: string, usage: Partial<UseOf<"translate">> = {}): Promise<string> {
  const path = join(folder, "inverter.safetensors");
  await writeFile(path, packModel(invertingModel(usage)));
  return path;
}

export const inverted = (picture: Picture): Picture =>
  makePicture(
    picture,
    Uint8Array.from(picture.data, (value) => 255 - value),
  );

/** Plain pairs side by side: the left half of a color, the right one by how much its opposite is missed. */
export async function writePairs(
  folder: string,
  pairs: readonly { readonly left: number; readonly missed: number }[],
  side = 16,
): Promise<void> {
  for (const [i, { left, missed }] of pairs.entries()) {
    const right = 255 - left + missed;
    const data = Uint8Array.from({ length: 2 * side * side * 3 }, (_, at) =>
      Math.floor(at / 3) % (2 * side) < side ? left : right,
    );
    const name = `${String(i).padStart(2, "0")}.png`;
    await writePicture(join(folder, name), makePicture({ width: 2 * side, height: side, channels: 3 }, data));
  }
}

/** PSNR of a picture that is off by so much everywhere, in dB, and SSIM of two plain pictures (Wang et al. 2004). */
export const psnrOff = (by: number): number => 20 * Math.log10(255 / Math.abs(by));
export const plainSsim = (a: number, b: number): number => (2 * a * b + 2.55 ** 2) / (a * a + b * b + 2.55 ** 2);

export const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
