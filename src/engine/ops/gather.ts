import { type Shape, sizeOf } from "../../tensor/tensor.ts";
import { elementCodes } from "../graph/emit.ts";
import { defineOp, type Example, misfit, type Node } from "../graph/node.ts";
import { still } from "../graph/receptiveField.ts";
import { resolveAxis } from "./axes.ts";

interface Picked {
  readonly axis: number;
}

/** Calls `visit(gathered, table)` for every element that gathering rows of a table touches. */
function eachPicked(
  table: Shape,
  axis: number,
  picks: ArrayLike<number>,
  visit: (gathered: number, table: number) => void,
): void {
  const [outer, side, inner] = [sizeOf(table.slice(0, axis)), table[axis]!, sizeOf(table.slice(axis + 1))];
  for (let o = 0; o < outer; o++)
    for (let p = 0; p < picks.length; p++)
      for (let i = 0; i < inner; i++) visit((o * picks.length + p) * inner + i, (o * side + picks[p]!) * inner + i);
}

const ROWS = { shape: [2, 3], values: [2, 0, 2, 1, 1, 2], dtype: "int64" } as const;
const ONE = { shape: [3], values: [0, 3, 3], dtype: "int64" } as const;

/** Rows of x along an axis, picked by whole numbers 0 … side − 1. */
export const gatherOp = defineOp<Picked>({
  name: "gather",
  shape(inputs, { axis }) {
    const [x, indices] = inputs as readonly [Node, Node];
    if (indices.dtype !== "int64") throw misfit("gather", inputs, `expected int64 indices, got ${indices.dtype}`);
    return [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  },
  dtype: ([x]) => x!.dtype,
  gradient: (dy, { inputs: [x, indices], attributes: { axis } }) => [
    scatterSum(dy, indices!, { axis, size: x!.shape[axis]! }),
    undefined,
  ],
  onnx: (emit, inputs, { attributes: { axis } }) => emit.node("Gather", inputs, { axis }),
  reference([x, indices], { shape, attributes: { axis } }) {
    const out = new Float64Array(sizeOf(shape));
    eachPicked(x!.shape, axis, indices!.data, (to, from) => {
      out[to] = x!.data[from]!;
    });
    return out;
  },
  receptive({ inputs, attributes }, input, axis) {
    if (input === 1) return still(attributes.axis + axis);
    if (axis === attributes.axis) return "all";
    return still(axis < attributes.axis ? axis : axis + inputs[1]!.shape.length - 1);
  },
  examples: [
    { inputs: [[3, 4], ROWS], attributes: { axis: 0 } },
    { inputs: [[2, 4, 3], ONE], attributes: { axis: 1 } },
    { inputs: [[4], ONE], attributes: { axis: 0 } },
  ],
});

/** Rows of x along an axis (an embedding when x is a table [entries, width]), picked by an int64 node of any shape. */
export const gather = (x: Node, indices: Node, axis = 0): Node =>
  gatherOp([x, indices], { axis: resolveAxis("gather", x, axis) });

interface Scattered extends Picked {
  /** Rows of the table that is filled. */
  readonly size: number;
}

const SCATTERS: readonly Example<Scattered>[] = [
  { inputs: [[2, 3, 4], ROWS], attributes: { axis: 0, size: 3 } },
  { inputs: [[2, 3, 3], ONE], attributes: { axis: 1, size: 4 } },
];

/** A table of zeros to which rows are added at the indices: the gradient of gather. */
export const scatterSumOp = defineOp<Scattered>({
  name: "scatterSum",
  shape([rows, indices], { axis, size }) {
    return [...rows!.shape.slice(0, axis), size, ...rows!.shape.slice(axis + indices!.shape.length)];
  },
  gradient: (g, { inputs: [, indices], attributes: { axis } }) => [gather(g, indices!, axis), undefined],
  // A product with the one-hot matrix of the indices: sums in the same order on every run, unlike a scatter on a GPU.
  onnx(emit, [rows, indices], { inputs, shape, attributes: { axis, size } }) {
    const count = sizeOf(inputs[1]!.shape);
    const [outer, inner] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
    const entries = emit.constant(
      Array.from({ length: size }, (_, entry) => entry),
      [size, 1],
      "int64",
    );
    const picks = emit.node("Reshape", [indices!, emit.ints([1, count])]);
    const oneHot = emit.node("Cast", [emit.node("Equal", [picks, entries])], { to: elementCodes.float32 });
    const flat = emit.node("Reshape", [rows!, emit.ints([outer, count, inner])]);
    return emit.node("Reshape", [emit.node("MatMul", [oneHot, flat]), emit.ints(shape)]);
  },
  reference([rows, indices], { shape, attributes: { axis } }) {
    const out = new Float64Array(sizeOf(shape));
    eachPicked(shape, axis, indices!.data, (from, to) => {
      out[to]! += rows!.data[from]!;
    });
    return out;
  },
  examples: SCATTERS,
});

/** A table of `size` rows of zeros along `axis`, to which the rows are added at the indices. */
export const scatterSum = (rows: Node, indices: Node, attributes: Scattered): Node =>
  scatterSumOp([rows, indices], attributes);
