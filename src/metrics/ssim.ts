import { userError } from "../errors.ts";
import { colorsOf, type Picture, peakOf } from "../image/picture.ts";
import { type Plane, planeOf } from "../image/planes.ts";
import { checkPair } from "./samePair.ts";

const side = 11;
const sigma = 1.5;
const [k1, k2] = [0.01, 0.03];

/** The 11-tap Gaussian of the window's rows and columns; sums to 1. */
const gaussian: Float64Array = (() => {
  const raw = Float64Array.from({ length: side }, (_, i) =>
    Math.exp(-((i - (side - 1) / 2) ** 2) / (2 * sigma * sigma)),
  );
  const sum = raw.reduce((total, value) => total + value, 0);
  return raw.map((value) => value / sum);
})();

/**
 * Mean structural similarity of two planes of one size. Wang et al., "Image Quality Assessment: From Error Visibility
 * to Structural Similarity" (2004): 11×11 Gaussian window, σ 1.5, K1 .01, K2 .03, population covariance, only where the
 * window lies wholly inside. `peak` is the range of the values: 255, 65535 or 1.
 * @throws UserError for planes that are too small or differ in size
 */
export const planeSsim = (a: Plane, b: Plane, peak: number): number => {
  if (a.width < side || a.height < side)
    throw userError("ssim", `expected pictures of at least ${side}×${side} pixels, got ${a.width}×${a.height}`);
  const blurred = (value: (i: number) => number) => blur(a.width, a.height, value);
  const [u, v] = [a.data, b.data];
  const meanA = blurred((i) => u[i]!);
  const meanB = blurred((i) => v[i]!);
  const squares = blurred((i) => u[i]! * u[i]! + v[i]! * v[i]!);
  const products = blurred((i) => u[i]! * v[i]!);
  const [c1, c2] = [(k1 * peak) ** 2, (k2 * peak) ** 2];
  let sum = 0;
  for (let i = 0; i < meanA.length; i++) {
    const [ma, mb] = [meanA[i]!, meanB[i]!];
    const covariance = products[i]! - ma * mb;
    const variances = squares[i]! - ma * ma - mb * mb;
    sum += ((2 * ma * mb + c1) * (2 * covariance + c2)) / ((ma * ma + mb * mb + c1) * (variances + c2));
  }
  return sum / meanA.length;
};

/** The Gaussian mean of `value` around every pixel whose window fits, [height − 10, width − 10]. */
const blur = (width: number, height: number, value: (i: number) => number): Float64Array => {
  const [w, h] = [width - side + 1, height - side + 1];
  const source = new Float64Array(width * height);
  for (let i = 0; i < source.length; i++) source[i] = value(i);
  const rows = new Float64Array(w * height);
  for (let y = 0; y < height; y++)
    for (let k = 0; k < side; k++)
      addScaled(rows, y * w, { source, from: y * width + k, length: w, weight: gaussian[k]! });
  const out = new Float64Array(w * h);
  for (let y = 0; y < h; y++)
    for (let k = 0; k < side; k++)
      addScaled(out, y * w, { source: rows, from: (y + k) * w, length: w, weight: gaussian[k]! });
  return out;
};

type Stretch = {
  readonly source: Float64Array;
  readonly from: number;
  readonly length: number;
  readonly weight: number;
};

const addScaled = (target: Float64Array, to: number, { source, from, length, weight }: Stretch): void => {
  for (let i = 0; i < length; i++) target[to + i] = target[to + i]! + weight * source[from + i]!;
};

/** Mean SSIM of two pictures: gray as it is, RGB as the mean of R, G and B (BasicSR's rule). Alpha is ignored. */
export const ssim = (a: Picture, b: Picture): number => {
  checkPair("ssim", a, b);
  const colors = colorsOf(a);
  let sum = 0;
  for (let c = 0; c < colors; c++) sum += planeSsim(planeOf(a, c), planeOf(b, c), peakOf(a.depth));
  return sum / colors;
};
