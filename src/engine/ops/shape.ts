import { type Shape, sizeOf } from "../../tensor/tensor.ts";
import type { Emit } from "../graph/emit.ts";
import { defineOp, misfit, type Node } from "../graph/node.ts";
import { elementwise, still } from "../graph/receptiveField.ts";
import { isSameShape, resolveAxes, resolveAxis } from "./axes.ts";
import { constant } from "./leaf.ts";
import { broadcastOffset, broadcastShape, eachIndex, stridesOf } from "./ndarray.ts";
import { pad } from "./pad.ts";
import { sumTo } from "./reduce.ts";

const dtypeOf = ([x]: readonly Node[]) => x!.dtype;

/** Fills an array of `shape` with what `pick` finds for each index. */
function fill(shape: Shape, pick: (index: readonly number[]) => number): Float64Array {
  const out = new Float64Array(sizeOf(shape));
  eachIndex(shape, (flat, index) => {
    out[flat] = pick(index);
  });
  return out;
}

const offsetOf = (index: readonly number[], strides: readonly number[]): number =>
  index.reduce((offset, place, axis) => offset + place * strides[axis]!, 0);

/** The same elements in the same order, in another shape. */
export const reshapeOp = defineOp<{ readonly shape: Shape }>({
  name: "reshape",
  shape(inputs, { shape }) {
    if (sizeOf(inputs[0]!.shape) !== sizeOf(shape) || !shape.every((side) => Number.isInteger(side) && side >= 0))
      throw misfit("reshape", inputs, `the elements do not fill [${shape.join(", ")}]`);
    return shape;
  },
  dtype: dtypeOf,
  gradient: (dy, { inputs: [x] }) => [reshape(dy, x!.shape)],
  onnx: (emit, [x], { shape }) => emit.node("Reshape", [x!, emit.ints(shape)]),
  reference: ([x]) => x!.data.slice(),
  // An axis stays itself when the elements before and after it stay as many.
  receptive({ inputs: [x], shape }, _, axis) {
    const rest = sizeOf(x!.shape.slice(axis + 1));
    const place = shape.findIndex((side, at) => side === x!.shape[axis] && sizeOf(shape.slice(at + 1)) === rest);
    return place < 0 || x!.shape[axis] === 1 ? "all" : still(place);
  },
  examples: [
    { inputs: [[2, 6]], attributes: { shape: [3, 2, 2] } },
    { inputs: [[1, 1]], attributes: { shape: [] } },
    { inputs: [[]], attributes: { shape: [1, 1] } },
  ],
});

/**
 * The same elements in the same order, in another shape; one side may be −1 and is worked out. x itself when nothing
 * changes.
 */
export function reshape(x: Node, shape: Shape): Node {
  const rest = shape.reduce((product, side) => (side === -1 ? product : product * side), 1);
  const full = shape.map((side) => (side === -1 ? sizeOf(x.shape) / rest : side));
  return isSameShape(full, x.shape) ? x : reshapeOp([x], { shape: full });
}

/** Axes in another order: axis k of the output is axis permutation[k] of x. */
export const transposeOp = defineOp<{ readonly permutation: readonly number[] }>({
  name: "transpose",
  shape(inputs, { permutation }) {
    const rank = inputs[0]!.shape.length;
    if (permutation.length !== rank || new Set(permutation).size !== rank || permutation.some((p) => !(p < rank)))
      throw misfit("transpose", inputs, `[${permutation.join(", ")}] is no order of the axes`);
    return permutation.map((axis) => inputs[0]!.shape[axis]!);
  },
  dtype: dtypeOf,
  gradient: (dy, { attributes: { permutation } }) => [
    transpose(
      dy,
      permutation.map((_, axis) => permutation.indexOf(axis)),
    ),
  ],
  onnx: (emit, inputs, { attributes: { permutation } }) => emit.node("Transpose", inputs, { perm: permutation }),
  reference([x], { shape, attributes: { permutation } }) {
    const strides = stridesOf(x!.shape);
    const moved = permutation.map((axis) => strides[axis]!);
    return fill(shape, (index) => x!.data[offsetOf(index, moved)]!);
  },
  receptive: ({ attributes: { permutation } }, _, axis) => still(permutation.indexOf(axis)),
  examples: [
    { inputs: [[2, 3]], attributes: { permutation: [1, 0] } },
    { inputs: [[2, 3, 4, 2]], attributes: { permutation: [2, 0, 3, 1] } },
  ],
});
export const transpose = (x: Node, permutation: readonly number[]): Node => transposeOp([x], { permutation });

/** Joins along an axis. */
export const concatOp = defineOp<{ readonly axis: number }>({
  name: "concat",
  shape(inputs, { axis }) {
    const first = inputs[0]!;
    if (inputs.some(({ shape }) => !isSameShape(shape.with(axis, 0), first.shape.with(axis, 0))))
      throw misfit("concat", inputs, `shapes differ in more than axis ${axis}`);
    const side = inputs.reduce((total, { shape }) => total + shape[axis]!, 0);
    return first.shape.with(axis, side);
  },
  dtype: dtypeOf,
  gradient(dy, { inputs, shape, attributes: { axis } }) {
    let start = 0;
    return inputs.map((input) => {
      const end = start + input.shape[axis]!;
      const part = slice(dy, shape.map(() => 0).with(axis, start), shape.with(axis, end));
      start = end;
      return part;
    });
  },
  onnx: (emit, inputs, { attributes: { axis } }) => emit.node("Concat", inputs, { axis }),
  reference(inputs, { shape, attributes: { axis } }) {
    const owners = inputs.flatMap((input) =>
      Array.from({ length: input.shape[axis]! }, (_, place) => ({ input, place, strides: stridesOf(input.shape) })),
    );
    return fill(shape, (index) => {
      const { input, place, strides } = owners[index[axis]!]!;
      return input.data[offsetOf(index.with(axis, place), strides)]!;
    });
  },
  receptive: ({ attributes }, _, axis) => (axis === attributes.axis ? "all" : still(axis)),
  examples: [
    { inputs: [[2, 3], [2, 1], [2, 2]], attributes: { axis: 1 } }, // biome-ignore format: one line
    { inputs: [[1, 2, 2], [3, 2, 2]], attributes: { axis: 0 } }, // biome-ignore format: one line
  ],
});

/** Joins along an axis, 0 being the first and −1 the last. */
export const concat = (xs: readonly Node[], axis: number): Node =>
  xs.length === 1 ? xs[0]! : concatOp(xs, { axis: resolveAxis("concat", xs[0]!, axis) });

/** A box of x: on every axis the elements start, start + step, … before end. */
export interface Box {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly steps: readonly number[];
}

const TO_THE_END = 2 ** 31 - 1;

/**
 * Writes a Slice of the axes that change; an end at the side is written as "to the end", for files whose sides are
 * free.
 */
export function emitSlice(emit: Emit, x: string, shape: Shape, { starts, ends, steps }: Box): string {
  const axes = [...shape.keys()].filter(
    (axis) => starts[axis] !== 0 || ends[axis] !== shape[axis] || steps[axis] !== 1,
  );
  if (axes.length === 0) return x;
  const pick = (values: readonly number[]): string => emit.ints(axes.map((axis) => values[axis]!));
  const until = emit.ints(axes.map((axis) => (ends[axis] === shape[axis] ? TO_THE_END : ends[axis]!)));
  const stepped = axes.some((axis) => steps[axis] !== 1);
  return emit.node("Slice", [x, pick(starts), until, emit.ints(axes), ...(stepped ? [pick(steps)] : [])]);
}

/** Puts dy back where a strided slice took it from, zeros elsewhere. */
function unslice(dy: Node, { starts, steps }: Box, shape: Shape): Node {
  const isStepped = (axis: number): boolean => steps[axis]! > 1;
  let apart = dy;
  if (steps.some((step) => step > 1)) {
    const split = dy.shape.flatMap((side, axis) => (isStepped(axis) ? [side, 1] : [side]));
    const gaps = steps.flatMap((step): [number, number][] => (step > 1 ? [[0, 0], [0, step - 1]] : [[0, 0]])); // biome-ignore format: one line
    const wide = dy.shape.map((side, axis) => side * steps[axis]!);
    apart = reshape(pad(reshape(dy, split), gaps), wide);
  }
  return pad(
    apart,
    shape.map((side, axis) => [starts[axis]!, side - starts[axis]! - apart.shape[axis]!]),
  );
}

/** A box cut out of x. */
export const sliceOp = defineOp<Box>({
  name: "slice",
  shape(inputs, { starts, ends, steps }) {
    const shape = starts.map((start, axis) => Math.ceil((ends[axis]! - start) / steps[axis]!));
    if (shape.some((side) => side < 1))
      throw misfit("slice", inputs, `[${starts.join(", ")}] to [${ends.join(", ")}] holds nothing`);
    return shape;
  },
  dtype: dtypeOf,
  gradient: (dy, { inputs: [x], attributes }) => [unslice(dy, attributes, x!.shape)],
  onnx: (emit, [x], { inputs, attributes }) => emitSlice(emit, x!, inputs[0]!.shape, attributes),
  reference([x], { shape, attributes: { starts, steps } }) {
    const strides = stridesOf(x!.shape);
    const first = offsetOf(starts, strides);
    const wide = strides.map((stride, axis) => stride * steps[axis]!);
    return fill(shape, (index) => x!.data[first + offsetOf(index, wide)]!);
  },
  receptive: ({ attributes: { starts, steps } }, _, axis) => ({
    axis,
    stride: steps[axis]!,
    before: -starts[axis]!,
    after: starts[axis]!,
  }),
  examples: [
    { inputs: [[3, 4]], attributes: { starts: [1, 0], ends: [3, 4], steps: [1, 1] } },
    { inputs: [[2, 3, 5, 4]], attributes: { starts: [0, 1, 1, 0], ends: [1, 3, 4, 3], steps: [1, 1, 1, 1] } },
    { inputs: [[2, 7, 6]], attributes: { starts: [0, 1, 0], ends: [2, 7, 5], steps: [1, 3, 2] } },
    { inputs: [[1, 2, 5, 6]], attributes: { starts: [0, 0, 1, 0], ends: [1, 2, 5, 6], steps: [1, 1, 2, 2] } },
  ],
});

/**
 * A box cut out of x, one start and end for each axis from the first; axes that are not named stay whole. Negative
 * numbers count from the end, as in numpy. `steps` (1 when absent) takes every second, third, … element.
 */
export function slice(
  x: Node,
  starts: readonly number[],
  ends: readonly number[],
  steps: readonly number[] = [],
): Node {
  const place = (value: number, side: number): number => Math.max(0, Math.min(side, value < 0 ? value + side : value));
  const box = {
    starts: x.shape.map((side, axis) => place(starts[axis] ?? 0, side)),
    ends: x.shape.map((side, axis) => place(ends[axis] ?? side, side)),
    steps: x.shape.map((_, axis) => steps[axis] ?? 1),
  };
  const isWhole = x.shape.every(
    (side, axis) => box.starts[axis] === 0 && box.ends[axis] === side && box.steps[axis] === 1,
  );
  return isWhole ? x : sliceOp([x], box);
}

/** x repeated along its axes of 1 to fill a shape. */
export const expandOp = defineOp<{ readonly shape: Shape }>({
  name: "expand",
  shape(inputs, { shape }) {
    const joint = broadcastShape([inputs[0]!.shape, shape]);
    if (!joint || !isSameShape(joint, shape))
      throw misfit("expand", inputs, `does not expand to [${shape.join(", ")}]`);
    return shape;
  },
  dtype: dtypeOf,
  gradient: (dy, { inputs: [x] }) => [sumTo(dy, x!.shape)],
  onnx: (emit, [x], { shape }) => emit.node("Expand", [x!, emit.ints(shape)]),
  reference([x], { shape }) {
    const strides = stridesOf(x!.shape);
    return fill(shape, (index) => x!.data[broadcastOffset(index, x!.shape, strides)]!);
  },
  receptive: elementwise,
  examples: [
    { inputs: [[3, 1]], attributes: { shape: [2, 3, 4] } },
    { inputs: [[]], attributes: { shape: [2, 2] } },
    { inputs: [[2, 3, 1, 1]], attributes: { shape: [2, 3, 4, 2] } },
  ],
});

/** x repeated to fill a shape, as broadcasting would. x itself when nothing changes. */
export const expand = (x: Node, shape: Shape): Node => (isSameShape(x.shape, shape) ? x : expandOp([x], { shape }));

/** Zeros of the shape and type of x. */
export const zerosLike = (x: Node): Node => constant([0], x.shape, x.dtype);

/** Runs of neighboring axes: [1, 2, 4] → [[1, 2], [4]]. */
const runs = (axes: readonly number[]): number[][] =>
  axes.reduce<number[][]>((found, axis) => {
    const last = found.at(-1);
    if (last?.at(-1) === axis - 1) last.push(axis);
    else found.push([axis]);
    return found;
  }, []);

/** x with the order of some axes turned round. */
export const flipOp = defineOp<{ readonly axes: readonly number[] }>({
  name: "flip",
  shape: ([x]) => x!.shape,
  dtype: dtypeOf,
  gradient: (dy, { attributes: { axes } }) => [flip(dy, axes)],
  // A Gather for each run of neighboring axes, joined into one: Slice with negative steps is wrong on one web provider.
  onnx(emit, [x], { shape, attributes: { axes } }) {
    const turned = runs(axes).reduce((name, run) => {
      const [before, after] = [sizeOf(shape.slice(0, run[0]!)), sizeOf(shape.slice(run.at(-1)! + 1))];
      const side = sizeOf(run.map((axis) => shape[axis]!));
      const flat = emit.node("Reshape", [name, emit.ints([before, side, after])]);
      const back = emit.ints(Array.from({ length: side }, (_, place) => side - 1 - place));
      return emit.node("Gather", [flat, back], { axis: 1 });
    }, x!);
    return emit.node("Reshape", [turned, emit.ints(shape)]);
  },
  reference([x], { shape, attributes: { axes } }) {
    const strides = stridesOf(shape);
    return fill(shape, (index) => {
      const turned = index.map((place, axis) => (axes.includes(axis) ? shape[axis]! - 1 - place : place));
      return x!.data[offsetOf(turned, strides)]!;
    });
  },
  receptive: ({ attributes: { axes } }, _, axis) => (axes.includes(axis) ? "all" : still(axis)),
  examples: [
    { inputs: [[2, 3, 3, 2]], attributes: { axes: [2, 3] } },
    { inputs: [[2, 3, 4]], attributes: { axes: [0, 2] } },
    { inputs: [[3]], attributes: { axes: [0] } },
  ],
});
export const flip = (x: Node, axes: readonly number[]): Node => flipOp([x], { axes: resolveAxes("flip", x, axes) });
