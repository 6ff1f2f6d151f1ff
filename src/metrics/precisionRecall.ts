import { userError } from "../errors.ts";
import { checkSets, type Features } from "./features.ts";
import { eachSquaredDistance } from "./pairs.ts";

export interface PrecisionRecall {
  /** Share of fake rows that lie among the real ones, 0…1. */
  readonly precision: number;
  /** Share of real rows that lie among the fake ones, 0…1. */
  readonly recall: number;
}

/**
 * Improved precision and recall of two sets of features [N, D] and [M, D]: a row lies among a set when it is no farther
 * from some row of the set than that row's k-th nearest neighbor in its own set, itself not counted.
 * Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models",
 * https://arxiv.org/abs/1904.06991, eq. 1 and 2. Use as many fake rows as real ones.
 * @throws UserError for features of different widths, or too few
 */
export function precisionRecall(
  real: Features,
  fake: Features,
  { k = 3 }: { readonly k?: number } = {},
): PrecisionRecall {
  if (!Number.isInteger(k) || k < 1) throw userError("precisionRecall › k", `expected a whole number from 1, got ${k}`);
  checkSets("precisionRecall", { real, fake }, k + 1);
  const [radiiReal, radiiFake] = [squaredRadii(real, k), squaredRadii(fake, k)];
  const realIsAmong = new Uint8Array(radiiReal.length);
  const fakeIsAmong = new Uint8Array(radiiFake.length);
  eachSquaredDistance(real, fake, ({ top, left, rows, columns, values }) => {
    for (let i = top, at = 0; i < top + rows; i++)
      for (let j = left; j < left + columns; j++, at++) {
        if (values[at]! <= radiiReal[i]!) fakeIsAmong[j] = 1;
        if (values[at]! <= radiiFake[j]!) realIsAmong[i] = 1;
      }
  });
  return { precision: share(fakeIsAmong), recall: share(realIsAmong) };
}

const share = (flags: Uint8Array): number => flags.reduce((sum, flag) => sum + flag, 0) / flags.length;

/** Squared distance of every row to its k-th nearest neighbor among the others, [count]. */
function squaredRadii(set: Features, k: number): Float64Array {
  const count = set.data.length / set.width;
  const nearest = new Float64Array(count * k).fill(Infinity); // [count, k], each row rising
  eachSquaredDistance(set, set, ({ top, left, rows, columns, values }) => {
    for (let i = top; i < top + rows; i++)
      for (let j = left; j < Math.min(left + columns, i); j++) {
        const distance = values[(i - top) * columns + j - left]!;
        insert(nearest, i * k, { k, distance });
        insert(nearest, j * k, { k, distance });
      }
  });
  return Float64Array.from({ length: count }, (_, i) => nearest[i * k + k - 1]!);
}

/** Puts a distance in its place among the k smallest, which start at `at`. */
function insert(nearest: Float64Array, at: number, { k, distance }: { k: number; distance: number }): void {
  let place = at + k - 1;
  if (distance >= nearest[place]!) return;
  for (; place > at && nearest[place - 1]! > distance; place--) nearest[place] = nearest[place - 1]!;
  nearest[place] = distance;
}
