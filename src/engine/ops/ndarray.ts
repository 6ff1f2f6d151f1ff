import { type Shape, sizeOf } from "../../tensor/tensor.ts";
import type { NDArray } from "../graph/node.ts";

/** Row-major strides: how far apart neighbors along each axis lie. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** Calls `visit(flat, index)` for every element of a shape in row-major order; `index` is reused between calls. */
export function eachIndex(shape: Shape, visit: (flat: number, index: readonly number[]) => void): void {
  const index = new Array<number>(shape.length).fill(0);
  const size = sizeOf(shape);
  for (let flat = 0; flat < size; flat++) {
    visit(flat, index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** The numpy broadcast of shapes, or undefined when they do not fit. */
export function broadcastShape(shapes: readonly Shape[]): number[] | undefined {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const out: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const sides = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const side = sides.find((candidate) => candidate !== 1) ?? 1;
    if (sides.some((candidate) => candidate !== 1 && candidate !== side)) return undefined;
    out.push(side);
  }
  return out;
}

/** Where element `index` of a broadcast result lies in an array of `shape`. */
export const broadcastOffset = (index: readonly number[], shape: Shape, strides: readonly number[]): number => {
  let offset = 0;
  const skip = index.length - shape.length;
  for (let axis = 0; axis < shape.length; axis++) if (shape[axis] !== 1) offset += index[axis + skip]! * strides[axis]!;
  return offset;
};

/** Applies `f` to broadcast elements of the arrays. */
export function mapBroadcast(
  arrays: readonly NDArray[],
  shape: Shape,
  f: (...values: number[]) => number,
): Float64Array {
  const out = new Float64Array(sizeOf(shape));
  const strides = arrays.map((array) => stridesOf(array.shape));
  eachIndex(shape, (flat, index) => {
    out[flat] = f(...arrays.map((array, k) => array.data[broadcastOffset(index, array.shape, strides[k]!)]!));
  });
  return out;
}
