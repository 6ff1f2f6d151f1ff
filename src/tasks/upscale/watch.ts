import { listPictures } from "../../data/folder.ts";
import type { Tensors } from "../../engine/index.ts";
import { option, userError } from "../../errors.ts";
import { pictureGrid } from "../../image/draw/grid.ts";
import { type Box, crop, modcrop, type Picture, type Size } from "../../image/picture.ts";
import { enlargedTo, plainPicture, reduced } from "../../image/reduce.ts";
import { score } from "../../metrics/protocol.ts";
import { modelOf } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import type { Platform } from "../../platform/platform.ts";
import { keptBy, type WatcherFor, type WatchParts } from "../common/watching.ts";
import { networkUpscaler } from "./networkUpscaler.ts";

const side = 192;
const tile = 256;

/** The middle of a picture, at most `side` wide and high. */
const middle = ({ width, height }: Size): Box => {
  const [w, h] = [Math.min(side, width), Math.min(side, height)];
  return { x: Math.floor((width - w) / 2), y: Math.floor((height - h) / 2), width: w, height: h };
};

/**
 * Bicubic, network and original side by side; mean PSNR and SSIM of the pictures to validate with, by the published
 * protocol. Prepares samples of the first picture that can be read, and scores of a folder if there is one. Whatever is
 * wrong with the pictures shows here, before anything is written.
 * @throws UserError for pictures that are too small or cannot be read, or a figure without pictures to score
 */
export async function watchUpscale(
  { network, usage, options, figure }: WatchParts<UseOf<"upscale">>,
  platform: Platform,
): Promise<WatcherFor> {
  const { scale } = usage;
  const validation = options.validate ? await listPictures([options.validate], platform.files) : [];
  if (figure && validation.length === 0)
    throw userError(
      option("keepBest"),
      "expected pictures to score, got none",
      `Give a folder of them as ${option("validate")}.`,
    );
  await checkSizes(validation, scale, platform);
  const kept = figure && keptBy(figure, await sumOf(validation, platform));
  const part = await firstPart(options.validate ? [options.validate] : options.data, scale, platform);
  const small = reduced(part, scale);
  const plainly = enlargedTo(part, small);
  return (runtime) => {
    const withNetwork = async <T>(weights: Tensors, use: (run: Enlarge) => Promise<T>): Promise<T> => {
      const model = modelOf(network, weights, usage, network.key);
      const upscaler = networkUpscaler(model, { get: async () => runtime }, tile);
      return use((picture) => upscaler.run(picture)).finally(upscaler.dispose);
    };
    return {
      ...kept,
      sample: (weights) =>
        withNetwork(weights, async (run) => pictureGrid([plainly, await run(small), part], { columns: 3, gap: 4 })),
      ...(validation.length > 0 && {
        evaluate: (weights) => withNetwork(weights, (run) => scoreAll(validation, scale, run, platform)),
      }),
    };
  };
}

/** One checksum of several files. */
async function sumOf(paths: readonly string[], { files }: Platform): Promise<string> {
  const sums = await Promise.all(paths.map((path) => files.sha256(path)));
  return sums.map((sum) => sum.slice(0, 12)).join(" ");
}

type Enlarge = (picture: Picture) => Promise<Picture>;

async function checkSizes(paths: readonly string[], scale: number, { codec }: Platform): Promise<void> {
  const least = 11 + 3 * scale;
  for (const path of paths) {
    const { width, height } = await codec.probe(path);
    if (Math.min(width, height) < least)
      throw userError(path, `expected at least ${least}×${least} pixels to score, got ${width}×${height}`);
  }
}

async function scoreAll(paths: readonly string[], scale: number, run: Enlarge, { codec }: Platform) {
  const sum = { psnr: 0, ssim: 0 };
  for (const path of paths) {
    const truth = modcrop(plainPicture(await codec.read(path)), scale);
    const one = score(await run(reduced(truth, scale)), truth, { color: "y", shave: scale });
    sum.psnr += one.psnr / paths.length;
    sum.ssim += one.ssim / paths.length;
  }
  return sum;
}

/** The middle of the first picture that can be used. */
async function firstPart(sources: readonly string[], scale: number, { files, codec }: Platform): Promise<Picture> {
  let last: unknown;
  for (const path of await listPictures(sources, files)) {
    try {
      const picture = plainPicture(await codec.read(path));
      return modcrop(crop(picture, middle(picture)), scale);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}
