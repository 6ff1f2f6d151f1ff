import type { Node } from "../graph/node.ts";
import type { Geometry } from "../ops/convolution.ts";
import type { Emit, OnnxAttribute } from "./emit.ts";

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

/** y = x ∗ w + b. */
export const convolutionForm: Form = (emit, names, { attributes: walk }) => emit.node("Conv", names, attributes(walk));

/** w [O, C/g, kh, kw] as the weight of the convolution that carries gradients back at stride 1: turned by 180°, O and C swapped. */
function turned(emit: Emit, w: string, [o, c, kh, kw]: readonly number[], groups: number): string {
  const taps = kh! * kw!;
  const flat = emit.node("Reshape", [w, emit.ints([groups, o! / groups, c!, taps])]);
  const back = emit.ints(Array.from({ length: taps }, (_, tap) => taps - 1 - tap));
  const flipped = taps === 1 ? flat : emit.node("Gather", [flat, back], { axis: 3 });
  const swapped = emit.node("Transpose", [flipped], { perm: [0, 2, 1, 3] });
  return emit.node("Reshape", [swapped, emit.ints([groups * c!, o! / groups, kh!, kw!])]);
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

/** dw from x and dy. */
export const weightGradientForm: Form = (emit, names, node) => weightAsConvolution(emit, names, node);
