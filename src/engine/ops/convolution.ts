import type { Shape } from "../../tensor/tensor.ts";
import { defineOp, type Example, misfit, type NDArray, type Node } from "../graph/node.ts";
import { onPicture } from "../graph/receptiveField.ts";
import { convolutionForm, inputGradientForm, weightGradientForm } from "./convolutionForms.ts";
import { add } from "./elementwise.ts";
import type { Geometry } from "./geometry.ts";
import { sum } from "./reduce.ts";
import { reshape } from "./shape.ts";

const outputSize = ({ kernel, stride, dilation, pads, size }: Geometry): [number, number] =>
  [0, 1].map(
    (axis) =>
      Math.floor(
        (size[axis]! + pads[axis]! + pads[axis + 2]! - dilation[axis]! * (kernel[axis]! - 1) - 1) / stride[axis]!,
      ) + 1,
  ) as [number, number];

/** Visits every (output element, input element, weight element) triple of a convolution. */
function eachTap(
  [batch, channels, outputs]: readonly [number, number, number],
  geometry: Geometry,
  visit: (y: number, x: number, w: number) => void,
): void {
  const {
    kernel: [kh, kw],
    stride,
    dilation,
    pads,
    groups,
    size: [height, width],
  } = geometry;
  const [oh, ow] = outputSize(geometry);
  const perGroup = channels / groups;
  for (let n = 0; n < batch; n++)
    for (let o = 0; o < outputs; o++) {
      const group = Math.floor(o / (outputs / groups));
      for (let i = 0; i < oh; i++)
        for (let j = 0; j < ow; j++)
          for (let c = 0; c < perGroup; c++)
            for (let a = 0; a < kh; a++)
              for (let b = 0; b < kw; b++) {
                const row = i * stride[0] + a * dilation[0] - pads[0];
                const column = j * stride[1] + b * dilation[1] - pads[1];
                if (row < 0 || row >= height || column < 0 || column >= width) continue;
                const x = ((n * channels + group * perGroup + c) * height + row) * width + column;
                visit(((n * outputs + o) * oh + i) * ow + j, x, ((o * perGroup + c) * kh + a) * kw + b);
              }
    }
}

const geometry = (
  kernel: readonly [number, number],
  size: readonly [number, number],
  rest: Partial<Geometry> = {},
): Geometry => ({ kernel, size, stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], groups: 1, ...rest });

/** The geometries that every one of the three rows is tried with: [N, C, O] and the walk. */
const CASES: readonly (readonly [readonly [number, number, number], Geometry])[] = [
  [[2, 3, 4], geometry([3, 3], [5, 4], { pads: [1, 1, 1, 1] })],
  [[2, 2, 3], geometry([4, 4], [6, 8], { stride: [2, 2], pads: [1, 1, 1, 1] })],
  [[1, 2, 3], geometry([4, 4], [7, 6], { stride: [2, 2], pads: [1, 1, 1, 1] })],
  [[1, 4, 4], geometry([3, 3], [7, 5], { stride: [2, 2], pads: [1, 1, 1, 1], groups: 4 })],
  [[2, 4, 6], geometry([3, 3], [6, 7], { dilation: [2, 2], pads: [2, 2, 2, 2], groups: 2 })],
  [[2, 3, 5], geometry([1, 1], [4, 4])],
  [[1, 2, 1], geometry([5, 5], [6, 7], { pads: [2, 2, 2, 2] })],
  [[2, 1, 2], geometry([5, 5], [6, 6], { pads: [2, 2, 2, 2] })],
  [[1, 2, 3], geometry([3, 2], [5, 6], { pads: [0, 1, 2, 0] })],
  [[1, 2, 2], geometry([3, 3], [7, 8], { stride: [3, 2], pads: [1, 0, 1, 2] })],
  [[1, 2, 2], geometry([2, 2], [4, 4], { stride: [2, 2] })],
  [[1, 3, 2], geometry([4, 4], [4, 4])],
  [[1, 2, 2], geometry([3, 3], [3, 3], { pads: [3, 3, 3, 3] })],
  [[2, 2, 3], geometry([3, 3], [6, 7], { pads: [1, 1, 1, 1] })],
  [[2, 3, 2], geometry([3, 3], [12, 11], { stride: [2, 2], pads: [1, 1, 1, 1] })],
  [[1, 2, 1], geometry([2, 2], [13, 12], { stride: [2, 2], dilation: [2, 1], pads: [0, 0, 1, 0] })],
];

const examples = (
  shapes: (sizes: { x: Shape; w: Shape; y: Shape; o: number }) => readonly Shape[],
): Example<Geometry>[] =>
  CASES.map(([[n, c, o], walk]) => ({
    inputs: shapes({
      x: [n, c, ...walk.size],
      w: [o, c / walk.groups, ...walk.kernel],
      y: [n, o, ...outputSize(walk)],
      o,
    }),
    attributes: walk,
  }));

const dims = (x: NDArray | Node, outputs: number): [number, number, number] => [x.shape[0]!, x.shape[1]!, outputs];

/** y = x ∗ w (+ b). x [N, C, H, W], w [O, C/groups, kh, kw], b [O] → [N, O, H', W']. */
export const convolutionOp = defineOp<Geometry>({
  name: "convolution",
  shape(inputs, walk) {
    const [x, w, b] = inputs as readonly [Node, Node, Node | undefined];
    const { groups } = walk;
    if (x.shape.length !== 4 || w.shape.length !== 4)
      throw misfit("conv2d", inputs, "expected x [N, C, H, W] and w [O, C/groups, kh, kw]");
    if (x.shape[1] !== w.shape[1]! * groups)
      throw misfit(
        "conv2d",
        inputs,
        `the input has ${x.shape[1]} channels, the weight expects ${w.shape[1]! * groups}`,
      );
    if (w.shape[0]! % groups !== 0)
      throw misfit("conv2d", inputs, `${w.shape[0]} filters do not divide into ${groups} groups`);
    if (b && (b.shape.length !== 1 || b.shape[0] !== w.shape[0]))
      throw misfit("conv2d", inputs, "expected one bias per filter");
    const out = outputSize(walk);
    if (out.some((side) => side < 1)) throw misfit("conv2d", inputs, "the picture is smaller than the kernel");
    return [x.shape[0]!, w.shape[0]!, ...out];
  },
  gradient: (dy, { inputs: [x, w, b], attributes: walk }) => [
    convolutionInput(dy, w!, walk),
    convolutionWeight(x!, dy, walk),
    b && sum(dy, [0, 2, 3]),
  ],
  onnx: (emit, names, node) => convolutionForm(emit, names, node),
  reference([x, w, b], { attributes: walk, shape }) {
    const y = new Float64Array(shape.reduce((p, s) => p * s, 1));
    const area = shape[2]! * shape[3]!;
    if (b) for (let i = 0; i < y.length; i++) y[i] = b.data[Math.floor(i / area) % shape[1]!]!;
    eachTap(dims(x!, shape[1]!), walk, (iy, ix, iw) => {
      y[iy]! += x!.data[ix]! * w!.data[iw]!;
    });
    return y;
  },
  receptive: ({ attributes: { kernel, stride, dilation, pads } }, input, axis) =>
    onPicture(input, axis, (side) => ({
      axis,
      stride: stride[side],
      before: pads[side],
      after: dilation[side] * (kernel[side] - 1) - pads[side],
    })),
  examples: [...examples(({ x, w }) => [x, w]), ...examples(({ x, w, o }) => [x, w, [o]]).slice(0, 7)],
});

/**
 * The gradient of a convolution with respect to its input, which is the transposed convolution: dy [N, O, H', W'], w →
 * [N, C, H, W].
 */
export const convolutionInputOp = defineOp<Geometry>({
  name: "convolutionInput",
  shape: ([dy, w], { groups, size }) => [dy!.shape[0]!, w!.shape[1]! * groups, ...size],
  gradient: (g, { inputs: [dy, w], attributes: walk }) => [
    convolution(g, w!, undefined, walk),
    convolutionWeight(g, dy!, walk),
  ],
  onnx: (emit, names, node) => inputGradientForm(emit, names, node),
  reference([dy, w], { attributes: walk, shape }) {
    const x = new Float64Array(shape.reduce((p, s) => p * s, 1));
    eachTap(dims({ shape, data: x }, dy!.shape[1]!), walk, (iy, ix, iw) => {
      x[ix]! += dy!.data[iy]! * w!.data[iw]!;
    });
    return x;
  },
  // Output pixel o is made from the pixels i with o = stride · i + dilation · tap − pad.
  receptive: ({ attributes: { kernel, stride, dilation, pads } }, input, axis) =>
    onPicture(input, axis, (side) => ({
      axis,
      stride: 1 / stride[side],
      before: (dilation[side] * (kernel[side] - 1) - pads[side]) / stride[side],
      after: pads[side] / stride[side],
    })),
  examples: examples(({ y, w }) => [y, w]),
});

/**
 * The gradient of a convolution with respect to its weight: x [N, C, H, W], dy [N, O, H', W'] → [O, C/groups, kh, kw].
 */
export const convolutionWeightOp = defineOp<Geometry>({
  name: "convolutionWeight",
  shape: ([x, dy], { groups, kernel }) => [dy!.shape[1]!, x!.shape[1]! / groups, ...kernel],
  gradient: (g, { inputs: [x, dy], attributes: walk }) => [
    convolutionInput(dy!, g, walk),
    convolution(x!, g, undefined, walk),
  ],
  onnx: (emit, names, node) => weightGradientForm(emit, names, node),
  reference([x, dy], { attributes: walk, shape }) {
    const w = new Float64Array(shape.reduce((p, s) => p * s, 1));
    eachTap(dims(x!, dy!.shape[1]!), walk, (iy, ix, iw) => {
      w[iw]! += x!.data[ix]! * dy!.data[iy]!;
    });
    return w;
  },
  examples: examples(({ x, y }) => [x, y]),
});

const convolution = (x: Node, w: Node, b: Node | undefined, walk: Geometry): Node =>
  convolutionOp(b ? [x, w, b] : [x, w], walk);
const convolutionInput = (dy: Node, w: Node, walk: Geometry): Node => convolutionInputOp([dy, w], walk);
const convolutionWeight = (x: Node, dy: Node, walk: Geometry): Node => convolutionWeightOp([x, dy], walk);

/** One number for both axes, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];
/** Zeros around the picture: one number, [vertical, horizontal], or [top, left, bottom, right]. */
export type Padding = Pair | readonly [number, number, number, number];

export const pairOf = (value: Pair): readonly [number, number] => (typeof value === "number" ? [value, value] : value);
export const padsOf = (value: Padding): readonly [number, number, number, number] => {
  if (typeof value === "number") return [value, value, value, value];
  return value.length === 2 ? [value[0], value[1], value[0], value[1]] : value;
};

export interface ConvolutionOptions {
  readonly stride?: Pair;
  readonly dilation?: Pair;
  readonly padding?: Padding;
  readonly groups?: number;
  /** One number per output channel, [O]. */
  readonly bias?: Node;
}

/**
 * Convolution (correlation, as all frameworks have it) of x [N, C, H, W] with w [O, C/groups, kh, kw] → [N, O, H', W'].
 */
export function conv2d(x: Node, w: Node, options: ConvolutionOptions = {}): Node {
  const { stride = 1, dilation = 1, padding = 0, groups = 1, bias } = options;
  return convolution(x, w, bias, {
    kernel: [w.shape[2]!, w.shape[3]!],
    stride: pairOf(stride),
    dilation: pairOf(dilation),
    pads: padsOf(padding),
    groups,
    size: [x.shape[2]!, x.shape[3]!],
  });
}

/**
 * Transposed convolution of x [N, C, H, W] with w [C, O/groups, kh, kw] → [N, O, H', W'], H' = (H−1)·stride − pads +
 * dilation·(kh−1) + 1 + outputPadding.
 * @throws UserError for a size that stride and kernel do not reach
 */
export function convTranspose2d(
  x: Node,
  w: Node,
  options: ConvolutionOptions & { readonly outputPadding?: Pair } = {},
): Node {
  const { groups = 1, bias } = options;
  const kernel = [w.shape[2]!, w.shape[3]!] as const;
  const [stride, dilation, extra] = [options.stride ?? 1, options.dilation ?? 1, options.outputPadding ?? 0].map(
    pairOf,
  ) as [readonly [number, number], readonly [number, number], readonly [number, number]];
  const pads = padsOf(options.padding ?? 0);
  if (x.shape[1] !== w.shape[0])
    throw misfit("convTranspose2d", [x, w], `the input has ${x.shape[1]} channels, the weight expects ${w.shape[0]}`);
  const side = (axis: 0 | 1): number =>
    (x.shape[axis + 2]! - 1) * stride[axis] -
    pads[axis] -
    pads[axis + 2]! +
    dilation[axis] * (kernel[axis] - 1) +
    1 +
    extra[axis];
  const y = convolutionInput(x, w, { kernel, stride, dilation, pads, groups, size: [side(0), side(1)] });
  return bias ? add(y, reshape(bias, [1, bias.shape[0]!, 1, 1])) : y;
}
