import { type Shape, sizeOf } from "../../tensor/tensor.ts";
import type { Emit } from "../graph/emit.ts";
import type { NDArray } from "../graph/node.ts";

/** A matrix [rows, columns] with constant numbers, row-major: a linear map of one axis. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** The matrix whose row is `from(row)`: pairs of column and weight; weights that meet add up. */
export function matrix(
  rows: number,
  columns: number,
  from: (row: number) => readonly (readonly [column: number, weight: number])[],
): Matrix {
  const data = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (const [column, weight] of from(row)) data[row * columns + column]! += weight;
  return { rows, columns, data };
}

export function transposed({ rows, columns, data }: Matrix): Matrix {
  return {
    rows: columns,
    columns: rows,
    data: data.map((_, at) => data[(at % rows) * columns + Math.floor(at / rows)]!),
  };
}

/** Sides before the axis, of the axis and after it, multiplied together. */
const around = (shape: Shape, axis: number): [number, number] => [
  sizeOf(shape.slice(0, axis)),
  sizeOf(shape.slice(axis + 1)),
];

/** Writes y[…, r, …] = Σ_c m[r, c] · x[…, c, …] along an axis. */
export function emitAlong(emit: Emit, x: string, shape: Shape, axis: number, m: Matrix): string {
  if (axis === shape.length - 1) {
    const { rows, columns, data } = transposed(m);
    return emit.node("MatMul", [x, emit.constant(data, [rows, columns])]);
  }
  const left = emit.constant(m.data, [m.rows, m.columns]);
  if (axis === shape.length - 2) return emit.node("MatMul", [left, x]);
  const [before, after] = around(shape, axis);
  const flat = emit.node("Reshape", [x, emit.ints([before, m.columns, after])]);
  return emit.node("Reshape", [emit.node("MatMul", [left, flat]), emit.ints(shape.with(axis, m.rows))]);
}

/** The same in float64. */
export function along({ shape, data }: NDArray, axis: number, m: Matrix): NDArray {
  const [before, after] = around(shape, axis);
  const out = new Float64Array(before * m.rows * after);
  for (let b = 0; b < before; b++)
    for (let row = 0; row < m.rows; row++)
      for (let column = 0; column < m.columns; column++) {
        const weight = m.data[row * m.columns + column]!;
        if (weight === 0) continue;
        for (let a = 0; a < after; a++)
          out[(b * m.rows + row) * after + a]! += weight * data[(b * m.columns + column) * after + a]!;
      }
  return { shape: shape.with(axis, m.rows), data: out };
}

/** Maps the last two axes, the one that shrinks most first. */
export const emitBoth = (emit: Emit, x: string, shape: Shape, vertical: Matrix, horizontal: Matrix): string => {
  const [h, w] = [shape.length - 2, shape.length - 1];
  if (vertical.rows * horizontal.columns < horizontal.rows * vertical.columns) {
    const tall = emitAlong(emit, x, shape, h, vertical);
    return emitAlong(emit, tall, shape.with(h, vertical.rows), w, horizontal);
  }
  const wide = emitAlong(emit, x, shape, w, horizontal);
  return emitAlong(emit, wide, shape.with(w, horizontal.rows), h, vertical);
};

export const both = (x: NDArray, vertical: Matrix, horizontal: Matrix): Float64Array =>
  along(along(x, x.shape.length - 1, horizontal), x.shape.length - 2, vertical).data;
