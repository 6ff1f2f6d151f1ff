import { checkSets, type Features } from "./features.ts";
import { eachSquaredDistance } from "./pairs.ts";

export interface Nearest {
  /** Row of the set that is nearest to each query, the first of equals, [queries]. */
  readonly index: Uint32Array;
  /** Euclidean distance to it, [queries]; exactly 0 for a copy. */
  readonly distance: Float64Array;
}

/** The nearest row of a set [N, D] for every query [M, D]: do samples repeat what was trained on? */
export function nearest(queries: Features, set: Features): Nearest {
  checkSets("nearest", { queries, set });
  const { width } = queries;
  const index = new Uint32Array(queries.data.length / width);
  const least = new Float64Array(index.length).fill(Infinity);
  eachSquaredDistance(queries, set, ({ top, left, rows, columns, values }) => {
    for (let i = top, at = 0; i < top + rows; i++)
      for (let j = left; j < left + columns; j++, at++) {
        if (values[at]! >= least[i]!) continue;
        least[i] = values[at]!;
        index[i] = j;
      }
  });
  const distance = Float64Array.from(index, (row, query) => {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += (queries.data[query * width + k]! - set.data[row * width + k]!) ** 2;
    return Math.sqrt(sum);
  });
  return { index, distance };
}
