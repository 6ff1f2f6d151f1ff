import type { Blend, Finish, Passes } from "./resample.ts";
import type { Method, Taps } from "./taps.ts";

// OpenCV 4's fixed-point arithmetic for bytes (modules/imgproc/src/resize.cpp): weights are whole multiples of 1/2048.
const scale = 2048;

/** Rounds half to even, as cvRound does. */
const roundEven = (value: number): number => {
  const whole = Math.round(value);
  return whole - value === 0.5 && whole % 2 !== 0 ? whole - 1 : whole;
};

const quantize = (taps: Taps): Taps => ({ ...taps, weight: taps.weight.map((w) => roundEven(Math.fround(w) * scale)) });

/** VResizeLinear for bytes: both products lose their low bits before they are added. */
const blendLinear: Blend = ([a, b], weights, sum) => {
  const [u, v] = [weights[0]!, weights[1]!];
  for (let x = 0; x < sum.length; x++) sum[x] = (((u * (a![x]! >> 4)) >> 16) + ((v * (b![x]! >> 4)) >> 16) + 2) >> 2;
};

/**
 * VResizeCubicVec_32s8u: float32 products and sums, last tap first; what is left of the row is done in whole numbers.
 */
const blendCubic: Blend = ([a, b, c, d], weights, sum) => {
  const f32 = Math.fround;
  const [s, t, u, v] = Array.from(weights, (w) => f32(w * f32(1 / (scale * scale)))) as [
    number,
    number,
    number,
    number,
  ];
  const whole = sum.length - (sum.length % 8);
  for (let x = 0; x < whole; x++) {
    const last = f32(f32(c![x]! * u) + f32(d![x]! * v));
    sum[x] = f32(f32(a![x]! * s) + f32(f32(b![x]! * t) + last));
  }
  for (let x = whole; x < sum.length; x++) {
    const total = a![x]! * weights[0]! + b![x]! * weights[1]! + c![x]! * weights[2]! + d![x]! * weights[3]!;
    sum[x] = Math.floor((total + 2 ** 21) / 2 ** 22);
  }
};

const shift: Finish = (row) => {
  for (let x = 0; x < row.length; x++) row[x] = Math.floor((row[x]! + 2 ** 21) / 2 ** 22);
};

/** OpenCV's rounding for bytes on top of its float passes. */
export const opencvBytes = (passes: Passes, method: Method): Passes => {
  const { horizontal, vertical } = passes;
  const fixed = { ...passes, horizontal: quantize(horizontal), vertical: quantize(vertical) };
  if (method === "bilinear") return { ...fixed, blend: blendLinear };
  return method === "bicubic" ? { ...fixed, blend: blendCubic } : { ...fixed, afterVertical: shift };
};
