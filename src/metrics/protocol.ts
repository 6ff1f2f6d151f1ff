import { userError } from "../errors.ts";
import { toDepth } from "../image/channels.ts";
import { luma } from "../image/color.ts";
import { type Picture, shave as shaveRim } from "../image/picture.ts";
import type { Plane } from "../image/planes.ts";
import { planeMse, psnr, psnrOf } from "./psnr.ts";
import { checkPair } from "./samePair.ts";
import { planeSsim, ssim } from "./ssim.ts";

export interface ScoreOptions {
  /** "y": studio-range BT.601 luma, as the published tables; "rgb": the three colors. */
  readonly color: "y" | "rgb";
  /** Pixels left out on every side; the published tables use the scale. */
  readonly shave: number;
}

export interface Score {
  /** dB, peak 255; Infinity for identical pictures. */
  readonly psnr: number;
  /** At most 1. */
  readonly ssim: number;
}

const roundedLuma = (picture: Picture): Plane<Float64Array> => {
  const y = luma(picture);
  return { ...y, data: y.data.map(Math.round) };
};

/**
 * Scores an enlarged picture against the truth by the protocol of the published super-resolution tables: both as 8-bit
 * samples, then luma rounded to 8 bits as MATLAB's rgb2ycbcr gives it, then the rim cut off, then PSNR and SSIM. (Luma
 * that is not rounded scores 0.01 to 0.04 dB higher.) Mean over pictures: average the scores.
 * @throws UserError for pictures that differ in size or kind, or a rim that leaves nothing
 */
export const score = (output: Picture, truth: Picture, { color, shave }: ScoreOptions): Score => {
  checkPair("score", output, truth);
  if (!Number.isInteger(shave) || shave < 0 || 2 * shave >= Math.min(truth.width, truth.height))
    throw userError(
      "score › shave",
      `expected a rim that leaves something of ${truth.width}×${truth.height}, got ${shave}`,
    );
  const [a, b] = [shaveRim(toDepth(output, 8), shave), shaveRim(toDepth(truth, 8), shave)];
  if (color === "rgb") return { psnr: psnr(a, b), ssim: ssim(a, b) };
  const [ya, yb] = [roundedLuma(a), roundedLuma(b)];
  return { psnr: psnrOf(planeMse(ya, yb), 255), ssim: planeSsim(ya, yb, 255) };
};
