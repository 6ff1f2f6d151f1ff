import type { Features } from "../../metrics/features.ts";
import { type Nearest, nearest } from "../../metrics/nearest.ts";

/** Rows of a training set that are looked through at a time. */
const PIECE = 5000;

/** A training set as rows, a piece of it at a time. */
export interface Learned {
  readonly count: number;
  rows(from: number, to: number): Features | Promise<Features>;
}

/** The nearest row of a training set for each row of some sets. */
export async function nearestLearned(sets: readonly Features[], learned: Learned): Promise<readonly Nearest[]> {
  const found = sets.map(({ data, width }) => ({
    index: new Uint32Array(data.length / width),
    distance: new Float64Array(data.length / width).fill(Infinity),
  }));
  for (let from = 0; from < learned.count; from += PIECE) {
    const rows = await learned.rows(from, Math.min(learned.count, from + PIECE));
    for (const [at, set] of sets.entries()) {
      const { index, distance } = nearest(set, rows);
      const best = found[at]!;
      for (const [i, value] of distance.entries()) {
        if (value >= best.distance[i]!) continue;
        best.distance[i] = value;
        best.index[i] = from + index[i]!;
      }
    }
  }
  return found;
}

export const median = (values: ArrayLike<number>): number => {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};
