import type { Taps } from "./taps.ts";

/** Rows of float64 samples that a resample reads and writes. */
export interface Rows {
  /** Samples side by side: 1 for a plane, channels for a picture. */
  readonly channels: number;
  /** Fills `row` with the input's row y. */
  readonly load: (y: number, row: Float64Array) => void;
  /** Takes a finished output row y; may change it. */
  readonly store: (y: number, row: Float64Array) => void;
}

/** Changes a row in place after a pass: rounding, scaling, clipping. */
export type Finish = (row: Float64Array) => void;
/** Writes Σ weights[k] · rows[k] to `sum`. */
export type Blend = (rows: readonly Float64Array[], weights: Float64Array, sum: Float64Array) => void;

export interface Passes {
  readonly horizontal: Taps;
  readonly vertical: Taps;
  readonly from: { readonly width: number; readonly height: number };
  readonly order: "horizontal first" | "vertical first";
  readonly afterHorizontal?: Finish;
  readonly afterVertical?: Finish;
  /** How the vertical pass adds up; plain float64 unless given. */
  readonly blend?: Blend;
}

/**
 * A separable resample, row by row: beside input and output it holds as many rows as the vertical pass has taps.
 */
export const resample = (rows: Rows, passes: Passes): void => {
  const { horizontal, vertical, from, afterHorizontal, afterVertical, blend = blendRows } = passes;
  const [narrow, wide] = [horizontal.length * rows.channels, from.width * rows.channels];
  const horizontalFirst = passes.order === "horizontal first";
  const raw = new Float64Array(wide);
  const final = new Float64Array(narrow);
  const ring = makeRing(vertical, horizontalFirst ? narrow : wide, (y, row) => {
    if (!horizontalFirst) return rows.load(y, row);
    rows.load(y, raw);
    blendColumns(raw, row, { taps: horizontal, channels: rows.channels });
    afterHorizontal?.(row);
  });
  for (let y = 0; y < vertical.length; y++) {
    const sum = horizontalFirst ? final : raw;
    blend(ring(y), vertical.weight.subarray(y * vertical.count, (y + 1) * vertical.count), sum);
    afterVertical?.(sum);
    if (!horizontalFirst) {
      blendColumns(raw, final, { taps: horizontal, channels: rows.channels });
      afterHorizontal?.(final);
    }
    rows.store(y, final);
  }
};

/** The rows that output row y needs, each made once by `fill` and kept while the next output rows need it. */
const makeRing = ({ index, count, length }: Taps, width: number, fill: Rows["load"]) => {
  let span = 1;
  for (let y = 0; y < length; y++) {
    const own = index.subarray(y * count, (y + 1) * count);
    span = Math.max(span, Math.max(...own) - Math.min(...own) + 1);
  }
  const slots = Array.from({ length: span }, () => new Float64Array(width));
  const held = new Int32Array(span).fill(-1);
  return (y: number): readonly Float64Array[] =>
    Array.from(index.subarray(y * count, (y + 1) * count), (source) => {
      const slot = source % span;
      if (held[slot] !== source) fill(source, slots[slot]!);
      held[slot] = source;
      return slots[slot]!;
    });
};

/** Adds rows up in the order of the taps, in float64. */
const blendRows: Blend = (rows, weights, sum) => {
  sum.fill(0);
  let k = 0;
  for (; k + 1 < rows.length; k += 2) addTwo(sum, [rows[k]!, rows[k + 1]!], [weights[k]!, weights[k + 1]!]);
  if (k < rows.length) addTwo(sum, [rows[k]!, rows[k]!], [weights[k]!, 0]);
};

type Pair<T> = readonly [T, T];

const addTwo = (sum: Float64Array, [a, b]: Pair<Float64Array>, [u, v]: Pair<number>): void => {
  if (u === 0 && v === 0) return;
  for (let x = 0; x < sum.length; x++) sum[x] = sum[x]! + u * a[x]! + v * b[x]!;
};

type Columns = { readonly taps: Taps; readonly channels: number };

/** Horizontal pass over one row. */
const blendColumns = (source: Float64Array, target: Float64Array, { taps, channels }: Columns): void => {
  const { length, count, index, weight } = taps;
  for (let c = 0; c < channels; c++)
    for (let x = 0, t = 0; x < length; x++) {
      let sum = 0;
      for (let k = 0; k < count; k++, t++) sum += weight[t]! * source[index[t]! * channels + c]!;
      target[x * channels + c] = sum;
    }
};
