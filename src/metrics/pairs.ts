import type { Features } from "./features.ts";
import { addProducts, type Rows } from "./products.ts";

/**
 * A number for every pair of a row of one set and a row of another: values [rows, columns], from row `top` and `left`
 * on.
 */
export interface Tile {
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

const side = 64; // rows a tile

/**
 * Visits the inner products of all pairs, tile by tile, left to right, so that N × N numbers need no memory. Where b is
 * a itself, only the tiles on and below the diagonal are visited.
 */
export function eachProduct(a: Features, b: Features, visit: (tile: Tile) => void): void {
  const [heights, widths] = [a.data.length / a.width, b.data.length / b.width];
  for (let top = 0; top < heights; top += side) {
    const upper = rowsFrom(a, top);
    const rows = upper.data.length / a.width;
    for (let left = 0; left < (a === b ? top + 1 : widths); left += side) {
      const lower = a === b && left === top ? upper : rowsFrom(b, left);
      const columns = lower.data.length / b.width;
      const values = new Float64Array(rows * columns);
      addProducts(values, upper, lower);
      visit({ top, left, rows, columns, values });
    }
  }
}

/** Visits the squared Euclidean distances of all pairs in the same order. Equal rows are at exactly zero. */
export function eachSquaredDistance(a: Features, b: Features, visit: (tile: Tile) => void): void {
  const [normsA, normsB] = [squaredNorms(a), squaredNorms(b)];
  eachProduct(a, b, (tile) => {
    const { top, left, rows, columns, values } = tile;
    for (let i = 0, at = 0; i < rows; i++)
      for (let j = 0; j < columns; j++, at++)
        values[at] = Math.max(0, normsA[top + i]! + normsB[left + j]! - 2 * values[at]!); // rounding may go below zero
    visit(tile);
  });
}

/** Up to a tile's side of rows, in float64. */
const rowsFrom = ({ data, width }: Features, from: number): Rows => ({
  data: Float64Array.from(data.subarray(from * width, (from + side) * width)),
  width,
});

/** |row|², summed in the order of `addProducts`. */
function squaredNorms({ data, width }: Features): Float64Array {
  const norms = new Float64Array(data.length / width);
  for (let row = 0; row < norms.length; row++) {
    let sum = 0;
    for (let k = row * width; k < (row + 1) * width; k++) sum += data[k]! * data[k]!;
    norms[row] = sum;
  }
  return norms;
}
