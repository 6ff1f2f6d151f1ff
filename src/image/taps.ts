import { userError } from "../errors.ts";

/** Which program's arithmetic a resize repeats. */
export type Convention = "matlab" | "opencv" | "pillow";
export type Method = "nearest" | "box" | "bilinear" | "bicubic" | "lanczos";
/**
 * What MATLAB reads beyond the border: the edge itself (up to R2011 or so and all published benchmark sets) or its
 * mirror.
 */
export type Edge = "clamp" | "mirror";

/** For each of `length` output samples, `count` input positions and their weights, [length, count]. */
export interface Taps {
  readonly length: number;
  readonly count: number;
  readonly index: Int32Array;
  readonly weight: Float64Array;
}

/** One side to resize. `factor` is output over input unless MATLAB was given the factor itself. */
export interface Side {
  readonly from: number;
  readonly to: number;
  readonly factor?: number;
  readonly edge?: Edge;
}

type Kernel = { readonly radius: number; readonly at: (x: number) => number };

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Keys, "Cubic Convolution Interpolation for Digital Image Processing" (1981), with a = −0.5. */
const keys = (x: number): number => {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
};

const kernels: Readonly<Record<Exclude<Method, "nearest" | "box">, Kernel>> = {
  bilinear: { radius: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { radius: 2, at: keys },
  lanczos: { radius: 3, at: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

const emptyTaps = (length: number, count: number): Taps => ({
  length,
  count,
  index: new Int32Array(length * count),
  weight: new Float64Array(length * count),
});

const clamp = (value: number, top: number): number => Math.min(top, Math.max(0, value));

const reflect = (value: number, length: number): number => {
  const place = ((value % (2 * length)) + 2 * length) % (2 * length);
  return place < length ? place : 2 * length - 1 - place;
};

const normalize = (weight: Float64Array): void => {
  const sum = weight.reduce((total, w) => total + w, 0);
  for (let k = 0; k < weight.length; k++) weight[k] = weight[k]! / sum;
};

/** MATLAB imresize's `contributions`: the kernel widens when shrinking, weights are normalized. */
const matlabTaps = (
  method: Exclude<Method, "nearest">,
  { from, to, factor = to / from, edge = "clamp" }: Side,
): Taps => {
  const kernel =
    method === "box" ? { radius: 0.5, at: (x: number) => (x >= -0.5 && x < 0.5 ? 1 : 0) } : kernels[method];
  const shrink = Math.min(1, factor);
  const width = (2 * kernel.radius) / shrink;
  const taps = emptyTaps(to, Math.ceil(width) + 2);
  for (let i = 0; i < to; i++) {
    const center = (i + 1) / factor + 0.5 * (1 - 1 / factor);
    const left = Math.floor(center - width / 2);
    const weight = taps.weight.subarray(i * taps.count, (i + 1) * taps.count);
    for (let k = 0; k < taps.count; k++) {
      const place = left + k;
      weight[k] = shrink * kernel.at(shrink * (center - place));
      taps.index[i * taps.count + k] = edge === "mirror" ? reflect(place - 1, from) : clamp(place - 1, from - 1);
    }
    normalize(weight);
  }
  return dropEmptyEnds(taps);
};

/** Leaves out the first and last tap where no output uses it. */
const dropEmptyEnds = (taps: Taps): Taps => {
  const used = (k: number) => {
    for (let i = k; i < taps.weight.length; i += taps.count) if (taps.weight[i] !== 0) return true;
    return false;
  };
  let [first, last] = [0, taps.count - 1];
  while (first < last && !used(first)) first++;
  while (last > first && !used(last)) last--;
  const kept = emptyTaps(taps.length, last - first + 1);
  for (let i = 0; i < taps.length; i++) {
    const [start, end] = [i * taps.count + first, i * taps.count + last + 1];
    kept.index.set(taps.index.subarray(start, end), i * kept.count);
    kept.weight.set(taps.weight.subarray(start, end), i * kept.count);
  }
  return kept;
};

/** Pillow's `precompute_coeffs`: antialiased, cut at the border and normalized there. */
const pillowTaps = (method: Exclude<Method, "nearest">, { from, to }: Side): Taps => {
  const kernel =
    method === "box" ? { radius: 0.5, at: (x: number) => (x > -0.5 && x <= 0.5 ? 1 : 0) } : kernels[method];
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const support = kernel.radius * stretch;
  const taps = emptyTaps(to, Math.ceil(support) * 2 + 1);
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(from, Math.trunc(center + support + 0.5));
    const weight = taps.weight.subarray(i * taps.count, (i + 1) * taps.count);
    for (let k = 0; k < taps.count; k++) {
      const place = first + k;
      weight[k] = place < end ? kernel.at((place - center + 0.5) * (1 / stretch)) : 0;
      taps.index[i * taps.count + k] = clamp(place, from - 1);
    }
    normalize(weight);
  }
  return dropEmptyEnds(taps);
};

const f32 = Math.fround;

/** OpenCV's `interpolateCubic`, a = −0.75, in float32 as there. */
const opencvCubic = (x: number): readonly number[] => {
  const a = -0.75;
  const x1 = f32(x + 1);
  const y = f32(1 - x);
  const w0 = f32(f32(f32(f32(f32(f32(f32(a * x1) - 5 * a) * x1) + 8 * a) * x1)) - 4 * a);
  const w1 = f32(f32(f32(f32(f32(f32((a + 2) * x) - (a + 3)) * x) * x)) + 1);
  const w2 = f32(f32(f32(f32(f32(f32((a + 2) * y) - (a + 3)) * y) * y)) + 1);
  return [w0, w1, w2, f32(f32(f32(1 - w0) - w1) - w2)];
};

/** sin and cos of (x + 3)π/4 turned by i·π/4 … as OpenCV tabulates them. */
const half = Math.SQRT1_2;
const turns = [1, 0, -half, -half, 0, 1, half, -half, -1, 0, half, half, 0, -1, -half, half] as const;

/** OpenCV's `interpolateLanczos4`: eight taps in float32, normalized. */
const opencvLanczos = (x: number): readonly number[] => {
  const angle = (f32(x + 3) * -Math.PI) / 4;
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const weights = Array.from({ length: 8 }, (_, i) => {
    const t = f32(f32(x + 3) - i);
    const y = (-t * Math.PI) / 4;
    return Math.abs(t) < 1e-6 ? f32(1e30) : f32((turns[2 * i]! * sin + turns[2 * i + 1]! * cos) / (y * y));
  });
  const scale = f32(1 / weights.reduce((sum, w) => f32(sum + w), 0));
  return weights.map((w) => f32(w * scale));
};

const opencvWeights = {
  bilinear: (x: number): readonly number[] => [f32(1 - x), x],
  bicubic: opencvCubic,
  lanczos: opencvLanczos,
} as const;

/** OpenCV's `resize` without antialiasing; weights are float32, positions beyond the border are clamped. */
const opencvTaps = (method: "bilinear" | "bicubic" | "lanczos", { from, to }: Side): Taps => {
  const scale = 1 / (to / from);
  const count = { bilinear: 2, bicubic: 4, lanczos: 8 }[method];
  const taps = emptyTaps(to, count);
  for (let i = 0; i < to; i++) {
    const place = f32((i + 0.5) * scale - 0.5);
    const left = Math.floor(place);
    const weights = opencvWeights[method](f32(place - left));
    for (let k = 0; k < count; k++) {
      taps.index[i * count + k] = clamp(left + k - (count / 2 - 1), from - 1);
      taps.weight[i * count + k] = weights[k]!;
    }
  }
  return taps;
};

/** OpenCV's INTER_AREA for shrinking: every input pixel counts with the share of it that the output pixel covers. */
const opencvArea = ({ from, to }: Side): Taps => {
  if (to > from)
    throw userError(
      "resize",
      "the box method of OpenCV's convention only shrinks",
      "Use nearest or bilinear to enlarge.",
    );
  const scale = from / to;
  const taps = emptyTaps(to, Math.ceil(scale) + 1);
  for (let i = 0; i < to; i++) {
    const [start, end] = [i * scale, Math.min(from, (i + 1) * scale)];
    for (let k = 0; k < taps.count; k++) {
      const place = Math.floor(start) + k;
      const share = Math.max(0, Math.min(end, place + 1) - Math.max(start, place));
      taps.index[i * taps.count + k] = clamp(place, from - 1);
      taps.weight[i * taps.count + k] = f32((share < 1e-3 ? 0 : share) / (end - start));
    }
  }
  return taps;
};

/** Positions and weights of one side under a convention; every row of weights sums to 1 (to rounding). */
export const makeTaps = (method: Exclude<Method, "nearest">, convention: Convention, side: Side): Taps => {
  if (convention === "matlab") return matlabTaps(method, side);
  if (convention === "pillow") return pillowTaps(method, side);
  return method === "box" ? opencvArea(side) : opencvTaps(method, side);
};

/** The input position that nearest-neighbor takes for each output position. */
export const nearestIndex = (convention: Convention, { from, to, factor = to / from }: Side): Int32Array => {
  const index = new Int32Array(to);
  const step = from / to;
  let place = step * 0.5; // Pillow adds up, with its rounding errors
  for (let i = 0; i < to; i++, place += step) {
    const matlab = Math.floor((i + 1) / factor + 0.5 * (1 - 1 / factor) + 0.5) - 1;
    const value = { matlab, pillow: Math.floor(place), opencv: Math.floor(i * (1 / (to / from))) }[convention];
    index[i] = clamp(value, from - 1);
  }
  return index;
};
