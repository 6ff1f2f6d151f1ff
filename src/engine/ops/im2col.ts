import type { Emit } from "../graph/emit.ts";
import type { Node } from "../graph/node.ts";
import type { Geometry } from "./geometry.ts";
import { emitSumFirst } from "./reduce.ts";

/**
 * The weight gradient as a matrix product of dy with the windows of x laid out as columns. A convolution with one-hot
 * kernels lays them out: it walks as the convolution itself does.
 */
type Form = (emit: Emit, names: readonly string[], node: Node<Geometry>) => string;

/** Windows of planes [P, 1, H, W] as columns: [P, kh·kw, H′, W′]. */
function windows(emit: Emit, planes: string, { kernel, stride, dilation, pads }: Geometry, below: number): string {
  const taps = kernel[0] * kernel[1];
  const oneHot = Array.from({ length: taps * taps }, (_, at) => (at % (taps + 1) === 0 ? 1 : 0));
  return emit.node("Conv", [planes, emit.constant(oneHot, [taps, 1, ...kernel])], {
    kernel_shape: kernel,
    strides: stride,
    dilations: dilation,
    pads: [pads[0], pads[1], below, pads[3]],
    group: 1,
  });
}

/** a · bᵀ over the last two axes. */
export const timesTransposed = (emit: Emit, a: string, b: string): string =>
  emit.target === "file"
    ? emit.node("MatMul", [a, emit.node("Transpose", [b], { perm: [0, 2, 1] })])
    : emit.node("FusedMatMul", [a, b], { transB: 1 }, "com.microsoft");

/**
 * A product for each picture, and their sum: the products are as large as the weight, so there should be many pixels.
 */
export const weightByPictures: Form = (emit, [x, dy], { attributes: walk, inputs, shape }) => {
  const [n, c] = inputs[0]!.shape as readonly [number, number];
  const planes = emit.node("Reshape", [x!, emit.ints([n * c, 1, ...walk.size])]);
  const columns = emit.node("Reshape", [
    windows(emit, planes, walk, walk.pads[2]),
    emit.ints([n, c * walk.kernel[0] * walk.kernel[1], -1]),
  ]);
  const rows = emit.node("Reshape", [dy!, emit.ints([n, shape[0]!, -1])]);
  return emitSumFirst(emit, timesTransposed(emit, rows, columns), [n, ...shape], 1, shape);
};

interface Stack {
  /** Rows from one picture's first to the next one's: a multiple of the stride. */
  readonly pitch: number;
  /** Rows of windows per picture; those past the output's height see parts of no picture or of two. */
  readonly rows: number;
  /** Zeros below the last picture. */
  readonly below: number;
}

function stackOf({ kernel, stride, dilation, pads, size }: Geometry): Stack {
  const pitch = Math.ceil((size[0] + Math.max(pads[0], pads[2])) / stride[0]) * stride[0];
  const below = dilation[0] * (kernel[0] - 1) + 1 - stride[0] - pads[0];
  return { pitch, rows: pitch / stride[0], below };
}

/**
 * Does every picture of the stack have its windows? Not where a kernel has fewer rows than its step, or a border is
 * very wide.
 */
export const isStackable = (walk: Geometry, height: number): boolean =>
  walk.groups === 1 && stackOf(walk).below >= 0 && height <= stackOf(walk).rows;

/** [N, C, h, W] → [C, N·pitch, W], zeros below each picture. */
function stacked(emit: Emit, x: string, [n, c, height, width]: readonly number[], pitch: number): string {
  const moved = emit.node("Transpose", [x], { perm: [1, 0, 2, 3] });
  const apart = emit.node("Pad", [moved, emit.ints([0, 0, 0, 0, 0, 0, pitch - height!, 0])]);
  return emit.node("Reshape", [apart, emit.ints([c!, 1, n! * pitch, width!])]);
}

/**
 * One product for all pictures, of which those of a channel stand below each other in one tall plane, with so many
 * zeros between them that no window of one sees another.
 */
export const weightByStack: Form = (emit, [x, dy], { attributes: walk, inputs, shape }) => {
  const { pitch, rows, below } = stackOf(walk);
  const columns = windows(emit, stacked(emit, x!, inputs[0]!.shape, pitch), walk, below); // [C, kh·kw, N·rows, W′]
  const matrix = emit.node("Reshape", [columns, emit.ints([shape[1]! * shape[2]! * shape[3]!, -1])]);
  const flat = emit.node("Reshape", [stacked(emit, dy!, inputs[1]!.shape, rows), emit.ints([shape[0]!, -1])]);
  return emit.node("Reshape", [emit.node("Gemm", [flat, matrix], { transB: 1 }), emit.ints(shape)]);
};
