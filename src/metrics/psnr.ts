import { colorsOf, type Picture, peakOf } from "../image/picture.ts";
import type { Plane } from "../image/planes.ts";
import { checkPair } from "./samePair.ts";

/** Peak signal-to-noise ratio of a mean squared error, in dB: 10 log10(peak² / mse). No error gives Infinity. */
export const psnrOf = (mse: number, peak: number): number =>
  mse === 0 ? Infinity : 10 * Math.log10((peak * peak) / mse);

/** Mean squared error of two planes of one size, in float64. */
export const planeMse = (a: Plane, b: Plane): number => {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i]! - b.data[i]!) ** 2;
  return sum / a.data.length;
};

/**
 * PSNR of two pictures in dB over all color samples together (the mean error of R, G and B, not the mean of three
 * PSNRs). Peak 255 or 65535 by depth; alpha is ignored; identical pictures give Infinity.
 */
export const psnr = (a: Picture, b: Picture): number => {
  checkPair("psnr", a, b);
  const colors = colorsOf(a);
  let sum = 0;
  for (let i = 0, j = 0; i < a.data.length; i += a.channels, j += b.channels)
    for (let c = 0; c < colors; c++) sum += (a.data[i + c]! - b.data[j + c]!) ** 2;
  return psnrOf(sum / (a.width * a.height * colors), peakOf(a.depth));
};
