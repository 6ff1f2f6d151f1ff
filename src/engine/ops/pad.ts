import { type Shape, sizeOf } from "../../tensor/tensor.ts";
import type { Emit } from "../graph/emit.ts";
import { defineOp, type Example, misfit, type Node } from "../graph/node.ts";
import { emitAlong, matrix } from "./linearMap.ts";
import { eachIndex, stridesOf } from "./ndarray.ts";
import { emitSlice } from "./shape.ts";

/** What lies outside: a number, the picture mirrored without its edge repeated, or its edge. */
export type PadMode = "constant" | "reflect" | "edge";

/** Elements added before and after each axis; a negative number crops. */
export type Pads = readonly (readonly [before: number, after: number])[];

export interface Padded {
  readonly pads: Pads;
  readonly mode: PadMode;
  readonly value: number;
}

/** Where the element at `place` (outside when below 0 or at least `side`) comes from; −1 for the constant. */
function sourceOf(place: number, side: number, mode: PadMode): number {
  if (place >= 0 && place < side) return place;
  if (mode === "constant") return -1;
  if (mode === "edge") return place < 0 ? 0 : side - 1;
  return place < 0 ? -place : 2 * (side - 1) - place;
}

/** Visits every element of the padded array with the place in the original that it comes from (−1: none). */
function eachPadded(shape: Shape, { pads, mode }: Padded, visit: (padded: number, original: number) => void): void {
  const strides = stridesOf(shape);
  const sources = shape.map((side, axis) =>
    Array.from({ length: side + pads[axis]![0] + pads[axis]![1] }, (_, at) =>
      sourceOf(at - pads[axis]![0], side, mode),
    ),
  );
  eachIndex(
    sources.map((list) => list.length),
    (flat, index) => {
      const places = index.map((place, axis) => sources[axis]![place]!);
      visit(flat, places.includes(-1) ? -1 : places.reduce((at, place, axis) => at + place * strides[axis]!, 0));
    },
  );
}

const grown = (shape: Shape, pads: Pads, sign: 1 | -1): number[] =>
  shape.map((side, axis) => side + sign * (pads[axis]![0] + pads[axis]![1]));

const constantPad = (pads: Pads, value = 0): Padded => ({ pads, mode: "constant", value });

const MIRRORED: readonly Example<Padded>[] = (["reflect", "edge"] as const).flatMap((mode) => [
  { inputs: [[1, 2, 3, 4]], attributes: { pads: [[0, 0], [0, 0], [1, 2], [2, 1]], mode, value: 0 } }, // biome-ignore format: one line
  { inputs: [[2, 1, 6, 7]], attributes: { pads: [[0, 0], [0, 0], [2, 1], [0, 3]], mode, value: 0 } }, // biome-ignore format: one line
  {
    inputs: [[3, 5]],
    attributes: {
      pads: [
        [2, 2],
        [1, 0],
      ],
      mode,
      value: 0,
    },
  },
]);

/** x with a border. */
export const padOp = defineOp<Padded>({
  name: "pad",
  shape(inputs, { pads, mode }) {
    const { shape } = inputs[0]!;
    if (pads.length !== shape.length) throw misfit("pad", inputs, `expected a pair for every axis, got ${pads.length}`);
    const reach = (side: number): number => (mode === "reflect" ? side - 1 : Number.POSITIVE_INFINITY);
    if (mode !== "constant" && pads.some((pair, axis) => pair.some((p) => p < 0 || p > reach(shape[axis]!))))
      throw misfit(
        "pad",
        inputs,
        `${pads.map((pair) => `[${pair.join(", ")}]`).join(", ")} is out of reach for ${mode}`,
      );
    const out = grown(shape, pads, 1);
    if (out.some((side) => side < 1)) throw misfit("pad", inputs, "nothing is left");
    return out;
  },
  gradient: (dy, { attributes }) => [
    attributes.mode === "constant"
      ? pad(
          dy,
          attributes.pads.map(([before, after]) => [-before, -after]),
        )
      : padGradientOp([dy], attributes),
  ],
  onnx(emit, [x], { inputs, attributes: { pads, mode, value } }) {
    const { shape } = inputs[0]!;
    if (pads.every((pair) => pair.every((p) => p <= 0))) {
      const starts = pads.map(([before]) => 0 - before);
      const ends = pads.map(([, after], axis) => (after === 0 ? shape[axis]! : after));
      return emitSlice(emit, x!, shape, { starts, ends, steps: shape.map(() => 1) });
    }
    const ends = emit.ints([...pads.map(([before]) => before), ...pads.map(([, after]) => after)]);
    return emit.node("Pad", [x!, ends, ...(mode === "constant" && value !== 0 ? [emit.scalar(value)] : [])], { mode });
  },
  reference([x], { shape, attributes }) {
    const out = new Float64Array(sizeOf(shape));
    eachPadded(x!.shape, attributes, (to, from) => {
      out[to] = from < 0 ? attributes.value : x!.data[from]!;
    });
    return out;
  },
  // Seen from the middle, as if the picture went on: what a border mirrors lies nearer to every pixel than the border
  // does.
  receptive: ({ attributes: { pads } }, _, axis) => ({
    axis,
    stride: 1,
    before: pads[axis]![0],
    after: -pads[axis]![0],
  }),
  examples: [
    { inputs: [[2, 3]], attributes: constantPad([[1, 0], [0, 2]]) }, // biome-ignore format: one line
    { inputs: [[2, 3]], attributes: constantPad([[1, 1], [1, 1]], -1.5) }, // biome-ignore format: one line
    { inputs: [[2, 3, 4]], attributes: constantPad([[0, 0], [1, -1], [-2, 3]]) }, // biome-ignore format: one line
    { inputs: [[4, 4]], attributes: constantPad([[-1, 0], [0, -2]]) }, // biome-ignore format: one line
    { inputs: [[1, 2, 2, 1, 3, 2]], attributes: constantPad([[0, 0], [0, 0], [0, 0], [0, 1], [0, 0], [0, 1]]) }, // biome-ignore format: one line
    ...MIRRORED,
  ],
});

/**
 * Adds what a border got back to where it came from: the gradient of a reflected or edge pad, along one axis by a
 * matrix.
 */
function foldAlong(emit: Emit, dy: string, shape: Shape, axis: number, { pads, mode }: Padded): string {
  const [before, after] = pads[axis]!;
  const side = shape[axis]! - before - after;
  const fold = matrix(side, shape[axis]!, () => []);
  for (let place = 0; place < shape[axis]!; place++)
    fold.data[sourceOf(place - before, side, mode) * shape[axis]! + place] = 1;
  return emitAlong(emit, dy, shape, axis, fold);
}

/** Operations on rows from … to (columns, for the last axis) of what is folded, counted from one end of it. */
interface Rows {
  cut(from: number, to: number): string;
  /** In the opposite order. */
  turned(from: number, to: number): string;
  /** Their sum, one row. */
  total(from: number, to: number): string;
}

/** Operations on rows counted from the start. */
function rowsOf(emit: Emit, dy: string, shape: Shape, axis: number): Rows {
  const cut = (from: number, to: number): string =>
    emitSlice(emit, dy, shape, {
      starts: shape.map(() => 0).with(axis, from),
      ends: shape.with(axis, to),
      steps: shape.map(() => 1),
    });
  return {
    cut,
    turned(from, to) {
      const back = emit.ints(Array.from({ length: to - from }, (_, place) => to - 1 - place));
      return emit.node("Gather", [dy, back], { axis });
    },
    total: (from, to) => emit.node("ReduceSum", [cut(from, to), emit.ints([axis])], { keepdims: 1 }),
  };
}

/** The same rows counted from the end of `length` rows. */
const flipped = ({ cut, turned, total }: Rows, length: number): Rows => ({
  cut: (from, to) => cut(length - to, length - from),
  turned: (from, to) => turned(length - to, length - from),
  total: (from, to) => total(length - to, length - from),
});

/** The strips that one end's border is folded into, from outside in, and how many rows of dy they stand for. */
function foldEnd(emit: Emit, { cut, turned, total }: Rows, border: number, mode: PadMode) {
  if (border === 0) return { strips: [], taken: 0 };
  if (mode === "edge") return { strips: [total(0, border + 1)], taken: border + 1 };
  const edge = cut(border, border + 1); // reflected by nothing
  const mirrored = emit.node("Add", [cut(border + 1, 2 * border + 1), turned(0, border)]);
  return { strips: [edge, mirrored], taken: 2 * border + 1 };
}

/** The same by strips: the few rows that get something back are cut out and added to, the rest is copied. */
function foldStrips(emit: Emit, dy: string, shape: Shape, axis: number, { pads, mode }: Padded): string {
  const [before, after] = pads[axis]!;
  const length = shape[axis]!;
  const rows = rowsOf(emit, dy, shape, axis);
  const first = foldEnd(emit, rows, before, mode);
  const last = foldEnd(emit, flipped(rows, length), after, mode);
  const [from, to] = [first.taken, length - last.taken];
  const middle = to > from ? [rows.cut(from, to)] : [];
  return emit.node("Concat", [...first.strips, ...middle, ...last.strips.toReversed()], { axis });
}

/** The gradient of a reflected or edge pad: what lies in the border is added to where it came from. */
export const padGradientOp = defineOp<Padded>({
  name: "padGradient",
  shape: ([dy], { pads }) => grown(dy!.shape, pads, -1),
  gradient: (g, { attributes: { pads, mode } }) => [pad(g, pads, { mode })],
  onnx(emit, [dy], { inputs, attributes }) {
    const { pads, mode } = attributes;
    let { shape } = inputs[0]!;
    return pads.reduce((name, [before, after], axis) => {
      if (before + after === 0) return name;
      const side = shape[axis]! - before - after;
      const isApart = mode === "reflect" ? before + after + 2 <= side : side >= 2;
      const folded = (isApart ? foldStrips : foldAlong)(emit, name, shape, axis, attributes);
      shape = shape.with(axis, side);
      return folded;
    }, dy!);
  },
  reference([dy], { shape, attributes }) {
    const out = new Float64Array(sizeOf(shape));
    eachPadded(shape, attributes, (from, to) => {
      out[to]! += dy!.data[from]!;
    });
    return out;
  },
  examples: MIRRORED.map(({ inputs: [shape], attributes }) => ({
    inputs: [grown(shape as Shape, attributes.pads, 1)],
    attributes,
  })),
});

/**
 * x with a border, a pair [before, after] for every axis. A negative number crops (constant mode only).
 * @param options.mode "constant" fills with `value` (0), "reflect" mirrors without repeating the edge, "edge" repeats
 * the edge
 */
export function pad(
  x: Node,
  pads: Pads,
  { mode = "constant", value = 0 }: { readonly mode?: PadMode; readonly value?: number } = {},
): Node {
  return pads.every(([before, after]) => before === 0 && after === 0) ? x : padOp([x], { pads, mode, value });
}
