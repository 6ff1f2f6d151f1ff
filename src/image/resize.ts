import { isOpaque } from "./channels.ts";
import { opencvBytes } from "./opencv.ts";
import {
  checkSize,
  hasAlpha,
  makePicture,
  makeSamples,
  type Picture,
  peakOf,
  type Samples,
  type Size,
} from "./picture.ts";
import type { Plane } from "./planes.ts";
import { type Finish, type Passes, type Rows, resample } from "./resample.ts";
import { type Convention, type Edge, type Method, makeTaps, nearestIndex, type Taps } from "./taps.ts";

export interface ResizeOptions {
  readonly method: Method;
  /** Whose arithmetic to repeat, byte for byte. */
  readonly convention: Convention;
  /** MATLAB only: what lies beyond the border. */
  readonly edge?: Edge;
  /** MATLAB only: the factor itself, where the size was rounded up from it. */
  readonly factor?: number;
}

/** MATLAB's size rule: each side times the factor, rounded up. */
export const scaledSize = ({ width, height }: Size, factor: number): Size => ({
  width: Math.ceil(width * factor),
  height: Math.ceil(height * factor),
});

/**
 * Resizes a picture as MATLAB's imresize, OpenCV's resize (no antialiasing when shrinking) or Pillow's resize
 * (antialiased) would; "lanczos" has radius 3, in OpenCV 4. Pictures that are partly transparent are resampled with
 * premultiplied alpha and rounded once, so no color bleeds in from transparent pixels.
 */
export const resize = (picture: Picture, size: Size, options: ResizeOptions): Picture => {
  checkSize("resize", size);
  const { channels, depth, metadata } = picture;
  const out = makeSamples(depth, size.width * size.height * channels);
  const result = makePicture({ ...size, channels, depth }, out, metadata);
  if (options.method === "nearest") copyNearest(picture, result, options);
  else if (isHalving(picture, size, options)) averageFours(picture, result);
  else if (isOpaque(picture)) resample(pictureRows(picture, out, size), exactPasses(picture, size, options));
  else resample(premultipliedRows(picture, out, size), plainPasses(picture, size, options));
  return result;
};

/** Resizes floating-point values of any range without rounding, between the passes or after. */
export const resizePlane = <P extends Plane>(plane: P, size: Size, options: ResizeOptions): P => {
  checkSize("resizePlane", size);
  const { width, height } = size;
  const data = plane.data instanceof Float32Array ? new Float32Array(width * height) : new Float64Array(width * height);
  const load: Rows["load"] = (y, row) => row.set(plane.data.subarray(y * plane.width, (y + 1) * plane.width));
  resample({ channels: 1, load, store: (y, row) => data.set(row, y * width) }, plainPasses(plane, size, options));
  return { ...plane, width, height, data };
};

/**
 * Float passes without rounding. MATLAB starts with the side that shrinks more, rows on a tie; the others with columns.
 */
const plainPasses = (from: Size, to: Size, { method, convention, edge, factor }: ResizeOptions): Passes => {
  const taps = (a: number, b: number): Taps =>
    method === "nearest"
      ? nearestTaps(nearestIndex(convention, { from: a, to: b, factor }))
      : makeTaps(method, convention, { from: a, to: b, factor, edge });
  const rowsFirst = convention === "matlab" && to.height / from.height <= to.width / from.width;
  return {
    from,
    horizontal: taps(from.width, to.width),
    vertical: taps(from.height, to.height),
    order: rowsFirst ? "vertical first" : "horizontal first",
  };
};

const nearestTaps = (index: Int32Array): Taps => ({
  length: index.length,
  count: 1,
  index,
  weight: new Float64Array(index.length).fill(1),
});

/** The rounding that each program does for whole samples. */
const exactPasses = (picture: Picture, size: Size, options: ResizeOptions): Passes => {
  const passes = plainPasses(picture, size, options);
  const rounded = roundTo(peakOf(picture.depth));
  if (options.convention === "matlab") return { ...passes, afterHorizontal: rounded, afterVertical: rounded };
  if (options.convention === "opencv")
    return picture.depth === 8 && options.method !== "box" ? opencvBytes(passes, options.method) : passes;
  if (picture.depth === 16) return { ...passes, afterHorizontal: rounded, afterVertical: rounded };
  const shifted = shiftTo(22);
  return {
    ...passes,
    horizontal: quantize(passes.horizontal, 22),
    vertical: quantize(passes.vertical, 22),
    afterHorizontal: shifted,
    afterVertical: shifted,
  };
};

/** Weights as whole multiples of 2^−bits, rounded half away from zero. */
const quantize = (taps: Taps, bits: number): Taps => ({
  ...taps,
  weight: taps.weight.map((w) => Math.sign(w) * Math.floor(Math.abs(w) * 2 ** bits + 0.5)),
});

const roundTo =
  (peak: number): Finish =>
  (row) => {
    for (let x = 0; x < row.length; x++) row[x] = Math.min(peak, Math.max(0, Math.floor(row[x]! + 0.5)));
  };

/** Bytes from sums with `bits` fractional bits. */
const shiftTo =
  (bits: number): Finish =>
  (row) => {
    const scale = 2 ** -bits;
    for (let x = 0; x < row.length; x++) row[x] = Math.min(255, Math.max(0, Math.floor(row[x]! * scale + 0.5)));
  };

/** Samples in, samples out: rounded half to even (as OpenCV does; the others have rounded before) and clipped. */
const pictureRows = ({ data, channels, width, depth }: Picture, out: Samples, size: Size): Rows => {
  const [row, peak] = [width * channels, peakOf(depth)];
  return {
    channels,
    load: (y, target) => target.set(data.subarray(y * row, (y + 1) * row)),
    store: (y, source) => {
      const start = y * size.width * channels;
      for (let x = 0; x < source.length; x++) out[start + x] = toSample(source[x]!, peak);
    },
  };
};

const toSample = (value: number, peak: number): number => {
  const whole = Math.round(value);
  const even = whole - value === 0.5 && whole % 2 !== 0 ? whole - 1 : whole;
  return Math.min(peak, Math.max(0, even));
};

/** Colors are weighted by alpha on the way in and divided by it on the way out. */
const premultipliedRows = ({ data, channels, width, depth }: Picture, out: Samples, size: Size): Rows => {
  const [row, peak, alpha] = [width * channels, peakOf(depth), channels - 1];
  return {
    channels,
    load: (y, target) => {
      for (let x = 0, i = y * row; x < row; x += channels, i += channels) {
        for (let c = 0; c < alpha; c++) target[x + c] = data[i + c]! * data[i + alpha]!;
        target[x + alpha] = data[i + alpha]!;
      }
    },
    store: (y, source) => {
      for (let x = 0, o = y * size.width * channels; x < source.length; x += channels, o += channels) {
        const share = source[x + alpha]!;
        for (let c = 0; c < alpha; c++) out[o + c] = share > 0 ? toSample(source[x + c]! / share, peak) : 0;
        out[o + alpha] = toSample(share, peak);
      }
    },
  };
};

const copyNearest = (from: Picture, to: Picture, { convention, factor }: ResizeOptions): void => {
  const { channels } = from;
  const columns = nearestIndex(convention, { from: from.width, to: to.width, factor });
  const rows = nearestIndex(convention, { from: from.height, to: to.height, factor });
  for (let y = 0, o = 0; y < to.height; y++)
    for (let x = 0; x < to.width; x++) {
      const i = (rows[y]! * from.width + columns[x]!) * channels;
      for (let c = 0; c < channels; c++) to.data[o++] = from.data[i + c]!;
    }
};

/** OpenCV takes the mean of four bytes when it halves both sides with the bilinear or box method. */
const isHalving = (picture: Picture, size: Size, { convention, method }: ResizeOptions): boolean =>
  convention === "opencv" &&
  (method === "bilinear" || method === "box") &&
  picture.depth === 8 &&
  !(hasAlpha(picture) && !isOpaque(picture)) &&
  picture.width === 2 * size.width &&
  picture.height === 2 * size.height;

const averageFours = ({ data, width, channels }: Picture, to: Picture): void => {
  const row = width * channels;
  for (let y = 0, o = 0; y < to.height; y++)
    for (let x = 0; x < to.width; x++)
      for (let c = 0; c < channels; c++) {
        const i = 2 * y * row + 2 * x * channels + c;
        to.data[o++] = (data[i]! + data[i + channels]! + data[i + row]! + data[i + row + channels]! + 2) >> 2;
      }
};
