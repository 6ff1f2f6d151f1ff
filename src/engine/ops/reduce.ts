import { type Shape, sizeOf } from "../../tensor/tensor.ts";
import type { Emit } from "../graph/emit.ts";
import { defineOp, type NDArray, type Node, type Receptive } from "../graph/node.ts";
import { still } from "../graph/receptiveField.ts";
import { isSameShape, resolveAxes, resolveAxis } from "./axes.ts";
import { div, equal, exp, mul, sub, toFloat } from "./elementwise.ts";
import { broadcastOffset, eachIndex, stridesOf } from "./ndarray.ts";
import { expand, reshape } from "./shape.ts";

/** The axes that are reduced (from the front, ascending), and whether they stay as axes of one. */
export interface Reduction {
  readonly axes: readonly number[];
  readonly keep: boolean;
}

/** The shape with the reduced axes kept as 1. */
const keptShape = (shape: Shape, axes: readonly number[]): number[] =>
  shape.map((side, axis) => (axes.includes(axis) ? 1 : side));

const reducedShape = ([x]: readonly Node[], { axes, keep }: Reduction): Shape =>
  keep ? keptShape(x!.shape, axes) : x!.shape.filter((_, axis) => !axes.includes(axis));

/** A reduced axis is seen whole, the others are pixel by pixel. */
function reduced({ attributes: { axes, keep } }: Node<Reduction>, _: number, axis: number): Receptive {
  if (axes.includes(axis)) return "all";
  return still(keep ? axis : axis - axes.filter((other) => other < axis).length);
}

/** Folds the elements that fall on the same output element. */
function fold(x: NDArray, axes: readonly number[], start: number, f: (a: number, b: number) => number): Float64Array {
  const kept = keptShape(x.shape, axes);
  const strides = stridesOf(kept);
  const out = new Float64Array(sizeOf(kept)).fill(start);
  eachIndex(x.shape, (flat, index) => {
    const at = broadcastOffset(index, kept, strides);
    out[at] = f(out[at]!, x.data[flat]!);
  });
  return out;
}

const REDUCTIONS: readonly { inputs: readonly Shape[]; attributes: Reduction }[] = [
  { inputs: [[2, 3, 4]], attributes: { axes: [0, 1, 2], keep: false } },
  { inputs: [[2, 3, 4]], attributes: { axes: [1], keep: true } },
  { inputs: [[2, 3, 4, 2]], attributes: { axes: [0, 2, 3], keep: false } },
  { inputs: [[2, 3, 4, 2]], attributes: { axes: [2, 3], keep: true } },
  { inputs: [[3, 4]], attributes: { axes: [0], keep: false } },
  { inputs: [[3]], attributes: { axes: [0], keep: false } },
  { inputs: [[2, 3, 4]], attributes: { axes: [0, 1], keep: true } },
];

/**
 * Writes a sum over the first `count` axes (a batch), in the shape `out`: a product with a row of ones, which on the
 * CPU takes a quarter of the time of ReduceSum over axis 0.
 */
export function emitSumFirst(emit: Emit, x: string, shape: Shape, count: number, out: Shape): string {
  const [rows, columns] = [sizeOf(shape.slice(0, count)), sizeOf(shape.slice(count))];
  const flat = emit.node("Reshape", [x, emit.ints([rows, columns])]);
  return emit.node("Reshape", [emit.node("MatMul", [emit.constant([1], [1, rows]), flat]), emit.ints(out)]);
}

/** Sum over axes. */
export const sumOp = defineOp<Reduction>({
  name: "sum",
  shape: reducedShape,
  gradient: (dy, { inputs: [x], attributes: { axes } }) => [expand(reshape(dy, keptShape(x!.shape, axes)), x!.shape)],
  onnx(emit, [x], { inputs, shape, attributes: { axes, keep } }) {
    const isLeading = axes.length < inputs[0]!.shape.length && axes.every((axis, at) => axis === at);
    if (isLeading && emit.target !== "file") return emitSumFirst(emit, x!, inputs[0]!.shape, axes.length, shape);
    return emit.node("ReduceSum", [x!, emit.ints(axes)], { keepdims: keep ? 1 : 0 });
  },
  reference: ([x], { attributes: { axes } }) => fold(x!, axes, 0, (a, b) => a + b),
  receptive: reduced,
  examples: REDUCTIONS,
});

/** How many elements fall on one. */
const countOf = ({ shape }: Node | NDArray, axes: readonly number[]): number =>
  sizeOf(axes.map((axis) => shape[axis]!));

/** Mean over axes. A row of its own so that a model file whose sides are free divides by the right number. */
export const meanOp = defineOp<Reduction>({
  name: "mean",
  shape: reducedShape,
  gradient(dy, { inputs: [x], attributes: { axes } }) {
    const share = mul(dy, 1 / countOf(x!, axes));
    return [expand(reshape(share, keptShape(x!.shape, axes)), x!.shape)];
  },
  onnx: (emit, [x], { attributes: { axes, keep } }) =>
    emit.node("ReduceMean", [x!, emit.ints(axes)], { keepdims: keep ? 1 : 0 }),
  reference: ([x], { attributes: { axes } }) =>
    fold(x!, axes, 0, (a, b) => a + b).map((total) => total / countOf(x!, axes)),
  receptive: reduced,
  examples: REDUCTIONS,
});

/** Largest over axes; the gradient is split equally among ties, as PyTorch's amax has it. */
export const maxOp = defineOp<Reduction>({
  name: "max",
  shape: reducedShape,
  gradient(dy, y) {
    const x = y.inputs[0]!;
    const { axes } = y.attributes;
    const kept = keptShape(x.shape, axes);
    const winners = toFloat(equal(x, reshape(y, kept)));
    return [mul(winners, div(reshape(dy, kept), sum(winners, axes, true)))];
  },
  onnx: (emit, [x], { attributes: { axes, keep } }) =>
    emit.node("ReduceMax", [x!, emit.ints(axes)], { keepdims: keep ? 1 : 0 }),
  reference: ([x], { attributes: { axes } }) => fold(x!, axes, Number.NEGATIVE_INFINITY, Math.max),
  receptive: reduced,
  examples: REDUCTIONS,
});

/** Sum over axes (all when none are named; negative ones count from the back), which stay as 1 when `keep` is set. */
export function sum(x: Node, axes?: readonly number[], keep = false): Node {
  const resolved = resolveAxes("sum", x, axes);
  return resolved.length === 0 ? x : sumOp([x], { axes: resolved, keep });
}

/** Mean over axes, as `sum`. */
export function mean(x: Node, axes?: readonly number[], keep = false): Node {
  const resolved = resolveAxes("mean", x, axes);
  return resolved.length === 0 ? x : meanOp([x], { axes: resolved, keep });
}

/** Largest over axes, as `sum`. */
export function max(x: Node, axes?: readonly number[], keep = false): Node {
  const resolved = resolveAxes("max", x, axes);
  return resolved.length === 0 ? x : maxOp([x], { axes: resolved, keep });
}

/**
 * Undoes a broadcast: sums x over the axes that broadcasting `shape` would have repeated. x itself when the shapes are
 * equal.
 */
export function sumTo(x: Node, shape: Shape): Node {
  if (isSameShape(x.shape, shape)) return x;
  const extra = x.shape.length - shape.length;
  const axes = [...x.shape.keys()].filter((axis) => axis < extra || (shape[axis - extra] === 1 && x.shape[axis] !== 1));
  return reshape(sum(x, axes, true), shape);
}

/** Calls `visit` with the offsets of every line along an axis. */
function eachLine(shape: Shape, axis: number, visit: (offsets: readonly number[]) => void): void {
  const step = stridesOf(shape)[axis]!;
  const firsts = keptShape(shape, [axis]);
  const strides = stridesOf(shape);
  eachIndex(firsts, (_, index) => {
    const first = index.reduce((at, place, k) => at + place * strides[k]!, 0);
    visit(Array.from({ length: shape[axis]! }, (_, place) => first + place * step));
  });
}

const logSumExp = (values: readonly number[]): number => {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((total, value) => total + Math.exp(value - top), 0));
};

/** x − log Σ eˣ along the axis, then `f` of it. */
function normalize(x: NDArray, axis: number, f: (value: number) => number): Float64Array {
  const out = new Float64Array(x.data.length);
  eachLine(x.shape, axis, (offsets) => {
    const total = logSumExp(offsets.map((at) => x.data[at]!));
    for (const at of offsets) out[at] = f(x.data[at]! - total);
  });
  return out;
}

const AXES: readonly { inputs: readonly Shape[]; attributes: { axis: number } }[] = [
  { inputs: [[2, 5]], attributes: { axis: 1 } },
  { inputs: [[2, 3, 4]], attributes: { axis: 1 } },
  { inputs: [[4]], attributes: { axis: 0 } },
];

const normalized = ({ attributes }: Node<{ readonly axis: number }>, _: number, axis: number): Receptive =>
  axis === attributes.axis ? "all" : still(axis);

/** eˣ / Σ eˣ along an axis. */
export const softmaxOp = defineOp<{ readonly axis: number }>({
  name: "softmax",
  shape: ([x]) => x!.shape,
  gradient: (dy, y) => [mul(y, sub(dy, sum(mul(dy, y), [y.attributes.axis], true)))],
  onnx: (emit, inputs, { attributes: { axis } }) => emit.node("Softmax", inputs, { axis }),
  reference: ([x], { attributes: { axis } }) => normalize(x!, axis, Math.exp),
  receptive: normalized,
  examples: AXES,
});

/** x − log Σ eˣ along an axis. */
export const logSoftmaxOp = defineOp<{ readonly axis: number }>({
  name: "logSoftmax",
  shape: ([x]) => x!.shape,
  gradient: (dy, y) => [sub(dy, mul(exp(y), sum(dy, [y.attributes.axis], true)))],
  onnx: (emit, inputs, { attributes: { axis } }) => emit.node("LogSoftmax", inputs, { axis }),
  reference: ([x], { attributes: { axis } }) => normalize(x!, axis, (value) => value),
  receptive: normalized,
  examples: AXES,
});

/** eˣ / Σ eˣ along an axis: positive, of sum 1. */
export const softmax = (x: Node, axis = -1): Node => softmaxOp([x], { axis: resolveAxis("softmax", x, axis) });

/** Logarithm of the softmax along an axis, without overflow. */
export const logSoftmax = (x: Node, axis = -1): Node => logSoftmaxOp([x], { axis: resolveAxis("logSoftmax", x, axis) });
