import type { Emit, OnnxAttribute } from "../graph/emit.ts";
import type { Node } from "../graph/node.ts";
import type { Geometry } from "./geometry.ts";
import { isStackable, timesTransposed, weightByPictures, weightByStack } from "./im2col.ts";
import { emitSumFirst } from "./reduce.ts";

/**
 * The ONNX forms of a convolution and of its two gradients, chosen by shape. Measured rates are in docs/performance.md;
 * this file is the one place to change when a faster form is found.
 */
type Form = (emit: Emit, names: readonly string[], node: Node<Geometry>) => string;

const attributes = ({ kernel, stride, dilation, pads, groups }: Geometry): Record<string, OnnxAttribute> => ({
  kernel_shape: kernel,
  strides: stride,
  dilations: dilation,
  pads,
  group: groups,
});

const isUnit = (pair: readonly number[]): boolean => pair.every((value) => value === 1);

/** Stride 1, one group, no dilation, and an output of the input's size: what most layers are. */
const isSame = ({ stride, dilation, groups, kernel, pads }: Geometry): boolean =>
  isUnit(stride) &&
  isUnit(dilation) &&
  groups === 1 &&
  pads[0] + pads[2] === kernel[0] - 1 &&
  pads[1] + pads[3] === kernel[1] - 1;

/**
 * y = x ∗ w + b. With very few filters over many channels the matrix product of a convolution is a thin strip;
 * ConvTranspose with the turned weight multiplies first and gathers the taps afterwards, which is 2–3 times as fast on
 * CPUs.
 */
export const convolutionForm: Form = (emit, [x, w, b], node) => {
  const { attributes: walk, inputs } = node;
  const [filters, channels] = inputs[1]!.shape as readonly [number, number];
  const thin = filters <= 4 && channels >= 16 && walk.kernel[0] > 1;
  if (!(thin && isSame(walk) && emit.target === "cpu"))
    return emit.node("Conv", b ? [x!, w!, b] : [x!, w!], attributes(walk));
  const [top, left, bottom, right] = walk.pads;
  const weight = turned(emit, w!, inputs[1]!.shape, 1);
  return emit.node("ConvTranspose", b ? [x!, weight, b] : [x!, weight], {
    ...attributes(walk),
    pads: [bottom, right, top, left],
  });
};

/**
 * w [O, C/g, kh, kw] as the weight of the convolution that carries gradients back at stride 1: turned by 180°, O and C
 * swapped. Whole rows of filters are picked in turned order, which takes a fraction of the time that single taps take.
 */
function turned(emit: Emit, w: string, [o, c, kh, kw]: readonly number[], groups: number): string {
  const [taps, filters] = [kh! * kw!, o! / groups];
  const flat = emit.node("Reshape", [w, emit.ints([groups, filters, c! * taps])]);
  const last = emit.node("Transpose", [flat], { perm: [0, 2, 1] });
  const rows = emit.node("Reshape", [last, emit.ints([groups, c!, taps, filters])]);
  const back = emit.ints(Array.from({ length: taps }, (_, tap) => taps - 1 - tap));
  const flipped = taps === 1 ? rows : emit.node("Gather", [rows, back], { axis: 2 });
  const swapped = emit.node("Transpose", [flipped], { perm: [0, 1, 3, 2] });
  return emit.node("Reshape", [swapped, emit.ints([groups * c!, filters, kh!, kw!])]);
}

/** dx from dy and w: a convolution with the turned weight at stride 1, ConvTranspose otherwise. */
export const inputGradientForm: Form = (emit, [dy, w], node) => {
  const { attributes: walk, inputs } = node;
  const { kernel, stride, dilation, pads, groups, size } = walk;
  const reach = [0, 1].map((axis) => dilation[axis]! * (kernel[axis]! - 1));
  const back = [0, 1, 2, 3].map((side) => reach[side % 2]! - pads[side]!);
  if (isUnit(stride) && back.every((pad) => pad >= 0)) {
    const weight = turned(emit, w!, inputs[1]!.shape, groups);
    return emit.node("Conv", [dy!, weight], { ...attributes(walk), pads: back });
  }
  const extra = [0, 1].map((axis) => {
    const covered =
      (inputs[0]!.shape[axis + 2]! - 1) * stride[axis]! + reach[axis]! + 1 - pads[axis]! - pads[axis + 2]!;
    return size[axis]! - covered;
  });
  if (extra.every((rest, axis) => rest < Math.max(stride[axis]!, dilation[axis]!)))
    return emit.node("ConvTranspose", [dy!, w!], { ...attributes(walk), output_padding: extra });
  throw new RangeError("transposed convolution: the output is larger than stride and kernel reach");
};

/** dw as a convolution of x with dy as the kernel, samples and channels having changed places. */
const weightAsConvolution: Form = (emit, [x, dy], node) => {
  const { attributes: walk, inputs, shape } = node;
  const { stride, dilation, pads, groups, size } = walk;
  const [n, c] = inputs[0]!.shape as readonly number[];
  const [, , oh, ow] = inputs[1]!.shape as readonly number[];
  const split = emit.node("Reshape", [x!, emit.ints([n!, groups, c! / groups, ...size])]);
  const moved = emit.node("Transpose", [split], { perm: [2, 1, 0, 3, 4] });
  const pictures = emit.node("Reshape", [moved, emit.ints([c! / groups, groups * n!, ...size])]);
  const kernels = emit.node("Transpose", [dy!], { perm: [1, 0, 2, 3] });
  const found = emit.node("Conv", [pictures, kernels], {
    kernel_shape: [oh!, ow!],
    strides: dilation,
    dilations: stride,
    pads,
    group: groups,
  });
  const [kh, kw] = [shape[2]!, shape[3]!];
  const cropped = emit.node("Slice", [found, emit.ints([0, 0]), emit.ints([kh, kw]), emit.ints([2, 3])]);
  return emit.node("Transpose", [cropped], { perm: [1, 0, 2, 3] });
};

/** A flattened picture [N, C, HW] moved by `offset` elements: y[q] = x[q + offset], zeros coming in. */
const moved = (emit: Emit, x: string, offset: number): string =>
  offset === 0 ? x : emit.node("Pad", [x, emit.ints([0, 0, -offset, 0, 0, offset])]);

/** A 0/1 row [1, 1, HW] that keeps the pixels whose column plus `offset` lies inside the picture. */
function columnMask(emit: Emit, height: number, width: number, offset: number): string {
  const inside = Array.from({ length: height * width }, (_, q) => {
    const column = (q % width) + offset;
    return column >= 0 && column < width ? 1 : 0;
  });
  return emit.constant(inside, [1, 1, height * width]);
}

/** Two flattened pictures of which taps are shifted copies, and how far each tap reaches. */
interface Shifts {
  readonly size: readonly [number, number];
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

const shiftsOf = ({ kernel, pads, size }: Geometry): Shifts => ({
  size,
  rows: Array.from({ length: kernel[0] }, (_, a) => a - pads[0]),
  columns: Array.from({ length: kernel[1] }, (_, b) => b - pads[1]),
});

/**
 * The picture shifted by every column offset, as channels: [N, C, HW] → [N, kw·C, HW]. `sign` −1 shifts dy against x.
 */
function columnShifts(emit: Emit, x: string, { size: [height, width], columns }: Shifts, sign: 1 | -1): string {
  const shifted = columns.map((offset) => {
    if (offset === 0) return x;
    const mask = columnMask(emit, height, width, offset);
    return sign === 1
      ? emit.node("Mul", [moved(emit, x, offset), mask])
      : moved(emit, emit.node("Mul", [x, mask]), -offset);
  });
  return shifted.length === 1 ? shifted[0]! : emit.node("Concat", shifted, { axis: 1 });
}

/**
 * dw of a convolution that keeps the size, from kw + kh shifted copies and kh matrix products: the column shifts are
 * taken of the operand with fewer channels, the row shifts of whichever is then the smaller.
 */
const weightByShifts: Form = (emit, [x, dy], { attributes: walk, inputs }) => {
  const [n, c] = inputs[0]!.shape as readonly [number, number];
  const o = inputs[1]!.shape[1]!;
  const [kh, kw] = walk.kernel;
  const shifts = shiftsOf(walk);
  const area = walk.size[0] * walk.size[1];
  const flat = (picture: string, channels: number): string =>
    emit.node("Reshape", [picture, emit.ints([n, channels, area])]);
  const bySource = c <= o;
  const [few, many] = bySource ? [c, o] : [o, c];
  const sign = bySource ? 1 : -1; // dy moves against x
  const columns = columnShifts(emit, bySource ? flat(x!, c) : flat(dy!, o), shifts, sign); // [N, kw·few, HW]
  const other = bySource ? flat(dy!, o) : flat(x!, c); // [N, many, HW]
  const products = shifts.rows.map((row) => {
    const offset = row * walk.size[1];
    const [a, b] =
      kw * few < many ? [moved(emit, columns, sign * offset), other] : [columns, moved(emit, other, -sign * offset)];
    return bySource ? timesTransposed(emit, b, a) : timesTransposed(emit, a, b); // [N, o, kw·c] or [N, kw·o, c]
  });
  const all = kh === 1 ? products[0]! : emit.node("Concat", products, { axis: 1 });
  const shape = bySource ? [kh, o, kw, c] : [kh, kw, o, c];
  const total = emitSumFirst(emit, all, [n, ...shape], 1, shape);
  return emit.node("Transpose", [total], { perm: bySource ? [1, 3, 0, 2] : [2, 3, 0, 1] });
};

/** Pixels from which on a product for each picture is worth its sum. */
const MANY = 32;

/**
 * dw from x and dy. On small maps one product for all pictures is 1.1–2.2 times as fast as the other forms, and on
 * larger ones with strides a product a picture 1.1–2 times as fast as a convolution, but for kernels whose taps fill
 * vectors of 16.
 */
export const weightGradientForm: Form = (emit, names, node) => {
  const { attributes: walk, inputs } = node;
  const [n, c] = inputs[0]!.shape as readonly [number, number];
  const [, , height, width] = inputs[1]!.shape as readonly [number, number, number, number];
  const isStrided = !isUnit(walk.stride);
  const fills = (walk.kernel[0] * walk.kernel[1]) % 16 === 0 && n >= 16 && c >= 16;
  if (walk.groups > 1 || (isStrided && fills)) return weightAsConvolution(emit, names, node);
  if (height * width < MANY && isStackable(walk, height)) return weightByStack(emit, names, node);
  if (isStrided) return weightByPictures(emit, names, node);
  return (isSame(walk) ? weightByShifts : weightAsConvolution)(emit, names, node);
};
