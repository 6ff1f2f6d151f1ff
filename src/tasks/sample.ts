import type { Runtime, Tensors } from "../engine/index.ts";
import { pictureGrid } from "../image/grid.ts";
import { type Box, crop, modcrop, type Picture, type Size } from "../image/picture.ts";
import { resize } from "../image/resize.ts";
import { score } from "../metrics/protocol.ts";
import type { Network } from "../nn/model.ts";
import type { Usage } from "../recipes/index.ts";
import { listPictures } from "../train/data/folder.ts";
import { modelOf } from "./modelFile.ts";
import { plainPicture } from "./plain.ts";
import type { Platform } from "./platform.ts";
import { networkUpscaler } from "./upscale.ts";

interface SamplerParts {
  readonly network: Network;
  readonly usage: Usage;
  readonly checked: { readonly data: readonly string[]; readonly validate?: string };
  readonly runtime: Runtime;
}

/** What training shows while it runs. */
export interface Sampler {
  /** Bicubic, network and original side by side. */
  sample(weights: Tensors, step: number): Promise<Picture>;
  /** Mean PSNR and SSIM of the pictures to validate with, by the published protocol. */
  readonly evaluate?: (weights: Tensors, step: number) => Promise<Readonly<Record<string, number>>>;
}

const side = 192;
const tile = 256;

/** The middle of a picture, at most `side` wide and high. */
const middle = ({ width, height }: Size): Box => {
  const [w, h] = [Math.min(side, width), Math.min(side, height)];
  return { x: Math.floor((width - w) / 2), y: Math.floor((height - h) / 2), width: w, height: h };
};

const shrink = (large: Picture, scale: number): Picture =>
  resize(
    large,
    { width: large.width / scale, height: large.height / scale },
    { method: "bicubic", convention: "matlab" },
  );

/** Samples of the first picture that can be read, and scores of a folder if there is one. */
export async function makeSampler(
  { network, usage, checked, runtime }: SamplerParts,
  platform: Platform,
): Promise<Sampler> {
  const { scale } = usage;
  const large = modcrop(
    await firstPicture([checked.validate ? [checked.validate] : checked.data].flat(), platform),
    scale,
  );
  const part = modcrop(crop(large, middle(large)), scale);
  const small = shrink(part, scale);
  const plainly = resize(small, part, { method: "bicubic", convention: "matlab" });
  const withNetwork = async <T>(weights: Tensors, use: (run: (picture: Picture) => Promise<Picture>) => Promise<T>) => {
    const upscaler = networkUpscaler(modelOf(network, weights, usage, network.key), { get: async () => runtime }, tile);
    try {
      return await use((picture) => upscaler.run(picture));
    } finally {
      await upscaler.dispose();
    }
  };
  const validation = checked.validate ? await listPictures([checked.validate], platform.files) : [];
  const evaluate = (weights: Tensors) =>
    withNetwork(weights, async (run) => {
      const sum = { psnr: 0, ssim: 0 };
      for (const path of validation) {
        const truth = modcrop(plainPicture(await platform.codec.read(path)), scale);
        const one = score(await run(shrink(truth, scale)), truth, { color: "y", shave: scale });
        sum.psnr += one.psnr / validation.length;
        sum.ssim += one.ssim / validation.length;
      }
      return sum;
    });
  return {
    sample: (weights) =>
      withNetwork(weights, async (run) => pictureGrid([plainly, await run(small), part], { columns: 3, gap: 4 })),
    ...(validation.length > 0 && { evaluate }),
  };
}

async function firstPicture(sources: readonly string[], { files, codec }: Platform): Promise<Picture> {
  let last: unknown;
  for (const path of await listPictures(sources, files)) {
    try {
      return plainPicture(await codec.read(path));
    } catch (error) {
      last = error;
    }
  }
  throw last;
}
