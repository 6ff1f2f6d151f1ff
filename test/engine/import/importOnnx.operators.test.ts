import { describe, expect, test } from "vitest";
import { indices, type Shape, type Tensor, tensor } from "../../../src/tensor/tensor.ts";
import { type Attribute, filled, importDistance, model } from "./onnxModel.ts";

type Attributes = Readonly<Record<string, Attribute>>;

interface Row {
  readonly op: string;
  readonly attributes: Attributes;
  /** Shapes of what is fed, then tensors stored in the file; null leaves an optional input out. */
  readonly inputs: readonly (Shape | Tensor | null)[];
  readonly opset: number;
  readonly outputs: number;
}

const row = (op: string, inputs: Row["inputs"], attributes: Attributes = {}, opset = 18, outputs = 1): Row => ({
  op,
  inputs,
  attributes,
  opset,
  outputs,
});

const isTensor = (value: Shape | Tensor): value is Tensor => "dtype" in value;

const ints = (...values: number[]): Tensor => indices(values, [values.length]);
const numbers = (...values: number[]): Tensor => tensor(values, [values.length]);
const scalar = (value: number): Tensor => tensor([value], []);
const w = (...shape: number[]): Tensor => filled(shape, 5);
const plus = (...shape: number[]): Tensor => filled(shape, 6, true);
const X = [2, 4, 6, 5];

/** A model of one node, and its feeds. */
function oneNode({ op, inputs, attributes, opset, outputs }: Row): {
  bytes: Uint8Array;
  feeds: Record<string, Tensor>;
} {
  const names = inputs.map((value, at) => (value === null ? "" : `x${at}`));
  const constants: Record<string, Tensor> = {};
  const feeds: Record<string, Tensor> = {};
  inputs.forEach((value, at) => {
    if (value === null) return;
    if (isTensor(value)) constants[names[at]!] = value;
    else feeds[names[at]!] = filled(value, at + 1, op === "Sqrt" || op === "Log" || op === "Pow");
  });
  const made = Array.from({ length: outputs }, (_, at) => `y${at}`);
  const bytes = model({
    opset,
    nodes: [{ op, inputs: names, outputs: made, attributes }],
    constants,
    inputs: Object.entries(feeds).map(([name, { shape }]) => ({ name, shape })),
    outputs: made,
  });
  return { bytes, feeds };
}

const CONVOLUTIONS = [
  row("Conv", [X, w(3, 4, 3, 3), w(3)], { pads: [1, 1, 1, 1] }),
  row("Conv", [X, w(6, 2, 3, 2)], { group: 2, strides: [2, 1], pads: [0, 1, 2, 0] }),
  row("Conv", [X, w(3, 4, 3, 3)], { auto_pad: "SAME_UPPER", strides: [2, 2] }),
  row("Conv", [X, w(3, 4, 4, 4)], { auto_pad: "SAME_LOWER" }),
  row("Conv", [X, w(3, 4, 3, 3)], { auto_pad: "VALID", dilations: [2, 1] }),
  row("ConvTranspose", [X, w(4, 3, 4, 4), w(3)], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  row("ConvTranspose", [X, w(4, 3, 3, 3)], { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] }),
  row("ConvTranspose", [X, w(4, 3, 3, 3)], { strides: [2, 2], auto_pad: "SAME_UPPER" }),
  row("ConvTranspose", [X, w(4, 3, 3, 3)], { strides: [2, 2], auto_pad: "SAME_LOWER" }),
  row("ConvTranspose", [X, w(4, 3, 3, 3)], { strides: [2, 2], output_shape: [12, 10] }),
  row("ConvTranspose", [X, w(4, 3, 3, 3)], { strides: [2, 2], auto_pad: "SAME_UPPER", output_shape: [12, 10] }),
  row("ConvTranspose", [X, w(4, 3, 3, 3)], { strides: [2, 2], auto_pad: "VALID", output_shape: [14, 12] }, 7),
  row("ConvTranspose", [X, w(4, 2, 3, 3)], { group: 2, dilations: [2, 2] }),
  row("Gemm", [[3, 4], w(4, 5), w(5)]),
  row("Gemm", [[4, 3], w(5, 4), w(5)], { transA: 1, transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } }),
  row("MatMul", [[2, 3, 4], w(4, 5)]),
  row("MatMul", [[4], w(4, 5)]),
  row("MatMul", [[2, 3, 4], w(4)]),
];

const ARITHMETIC = [
  ...["Add", "Sub", "Mul", "Max", "Min"].map((op) => row(op, [X, w(4, 1, 1)])),
  row("Div", [X, plus(4, 1, 1)]),
  row("Pow", [X, scalar(2)]),
  row("Pow", [X, scalar(0.5)]),
  row("Pow", [X, numbers(3)]),
  row("Pow", [X, scalar(1.7)]),
  row("Max", [X, X, w(5)]),
  row("Sum", [X, X, X]),
  row("Mean", [X, X]),
  ...["Neg", "Abs", "Sqrt", "Exp", "Log", "Sin", "Cos", "Sign", "Reciprocal", "Identity"].map((op) => row(op, [X])),
  row("Dropout", [X], { ratio: { float: 0.5 } }, 7),
  row("Dropout", [X, scalar(0.5)], {}, 13),
  row("Cast", [X], { to: 1 }),
  row("ImageScaler", [X], { scale: { float: 0.5 }, bias: { floats: [1, 2, 3, 4] } }, 7),
  row("Affine", [X], { alpha: { float: 150 }, beta: { float: 3 } }, 7),
];

const ACTIVATIONS = [
  ...["Relu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Erf", "HardSwish", "Mish"].map((op) => row(op, [X])),
  row("LeakyRelu", [X]),
  row("LeakyRelu", [X], { alpha: { float: 0.2 } }),
  row("LeakyRelu", [X], { alpha: { float: 1.5 } }),
  row("Elu", [X], { alpha: { float: 0.7 } }),
  row("Selu", [X]),
  row("Gelu", [X], {}, 20),
  row("Gelu", [X], { approximate: "tanh" }, 20),
  row("HardSigmoid", [X]),
  row("PRelu", [X, w(4, 1, 1)]),
  row("PRelu", [X, w(1)]),
  row("PRelu", [X, w(1, 4, 1, 1)]),
  row("PRelu", [X, w(6, 5)]),
  row("Clip", [X], { min: { float: -0.5 }, max: { float: 1 } }, 6),
  row("Clip", [X, scalar(0), scalar(1)]),
  row("Clip", [X, null, scalar(1)]),
  row("Clip", [X, scalar(-1)]),
  row("Softmax", [X]),
  row("Softmax", [X], { axis: 1 }),
  row("Softmax", [X], { axis: 1 }, 11),
  row("LogSoftmax", [X], { axis: 2 }, 11),
];

const SHAPES = [
  row("Reshape", [X, ints(0, -1, 10)]),
  row("Flatten", [X]),
  row("Flatten", [X], { axis: 0 }),
  row("Flatten", [X], { axis: -1 }),
  row("Transpose", [X], { perm: [0, 2, 3, 1] }),
  row("Transpose", [X]),
  row("Squeeze", [[2, 1, 3, 1]]),
  row("Squeeze", [[2, 1, 3, 1], ints(1)]),
  row("Squeeze", [[2, 1, 3, 1]], { axes: [3] }, 11),
  row("Unsqueeze", [[2, 3], ints(0, -1)]),
  row("Unsqueeze", [[2, 3]], { axes: [1] }, 11),
  row("Concat", [X, X, w(2, 1, 6, 5)], { axis: 1 }),
  row("Slice", [X, ints(1, 0), ints(3, -1), ints(1, -1)]),
  row("Slice", [X, ints(0, 1), ints(9, 100), ints(2, 3), ints(2, 3)]),
  row("Slice", [X, ints(-1), ints(-1000), ints(2), ints(-1)]),
  row("Slice", [X, ints(4), ints(0), ints(3), ints(-2)]),
  row("Slice", [X], { starts: [0, 1], ends: [2, 2147483647], axes: [0, 2] }, 9),
  row("Split", [X], { axis: 1, num_outputs: 2 }, 18, 2),
  row("Split", [X, ints(1, 3)], { axis: 1 }, 13, 2),
  row("Split", [X], { axis: 2, split: [1, 2, 3] }, 11, 3),
  row("Gather", [X, ints(-1, 0, 2)], { axis: 1 }),
  row("Gather", [X, indices([3], [])], { axis: 3 }),
  row("Expand", [[3, 1], ints(2, 1, 4)]),
  row("Tile", [[2, 3], ints(2, 3)]),
  row("Where", [{ dtype: "bool", shape: [5], data: Uint8Array.of(1, 0, 0, 1, 1) }, X, w(1)]),
];

const POOLS = [
  row("MaxPool", [X], { kernel_shape: [2, 2], strides: [2, 2] }),
  row("MaxPool", [X], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  row("MaxPool", [X], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  row("MaxPool", [X], { kernel_shape: [3, 2], pads: [0, 0, 1, 1] }),
  row("MaxPool", [X], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: "SAME_UPPER" }),
  row("AveragePool", [X], { kernel_shape: [2, 2], strides: [2, 2] }),
  row("AveragePool", [X], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  row("AveragePool", [X], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  row("AveragePool", [X], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }, 19),
  row("AveragePool", [X], { kernel_shape: [3, 3], auto_pad: "SAME_LOWER" }),
  row("GlobalAveragePool", [X]),
  row("GlobalMaxPool", [X]),
];

const NORMS = [
  row("BatchNormalization", [X, w(4), w(4), w(4), plus(4)], { epsilon: { float: 1e-3 } }),
  row("InstanceNormalization", [X, w(4), w(4)], { epsilon: { float: 1e-5 } }),
  row("LayerNormalization", [X, w(5), w(5)]),
  row("LayerNormalization", [X, w(6, 5)], { axis: 2 }),
  row("GroupNormalization", [X, w(4), w(4)], { num_groups: 2 }, 21),
  row("ReduceMean", [X, ints(2, 3)]),
  row("ReduceMean", [X], { axes: [-1], keepdims: 0 }, 13),
  row("ReduceSum", [X, ints(1)], { keepdims: 0 }),
  row("ReduceSum", [X]),
  row("ReduceSum", [X], { axes: [0, 2] }, 11),
  row("ReduceMax", [X, ints(1)]),
  row("ReduceMin", [X], { axes: [1] }, 11),
  row("ReduceL1", [X, ints(1)]),
  row("ReduceL2", [X, ints(1)]),
  row("ReduceSumSquare", [X, ints(1)]),
];

const resize = (mode: string, factors: readonly number[], rest: Attributes = {}): Row =>
  row("Resize", [X, null, numbers(1, 1, ...factors)], { mode, ...rest });
const to = (mode: string, sides: readonly number[], rest: Attributes = {}): Row =>
  row("Resize", [X, null, null, ints(2, 4, ...sides)], { mode, ...rest });

const PICTURES = [
  ...["nearest", "linear", "cubic"].flatMap((mode) => [
    resize(mode, [2, 2]),
    resize(mode, [2, 3], { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" }),
    resize(mode, [0.6, 0.7]),
    to(mode, [9, 7]),
    to(mode, [3, 8], { coordinate_transformation_mode: "align_corners" }),
    to(mode, [4, 1], { coordinate_transformation_mode: "pytorch_half_pixel" }),
  ]),
  ...["round_prefer_ceil", "floor", "ceil"].map((nearest_mode) => to("nearest", [9, 7], { nearest_mode })),
  to("cubic", [9, 7], { cubic_coeff_a: { float: -0.5 } }),
  to("cubic", [9, 7], { cubic_coeff_a: { float: -0.5 }, exclude_outside: 1 }),
  to("cubic", [3, 2], { cubic_coeff_a: { float: -0.5 }, antialias: 1 }),
  to("cubic", [3, 2], { cubic_coeff_a: { float: -0.5 }, antialias: 1, exclude_outside: 1 }),
  to("linear", [3, 2], { antialias: 1 }),
  to("linear", [3, 8], { antialias: 1, exclude_outside: 1 }),
  row("Resize", [[1, 1, 10, 10], null, numbers(1, 1, 0.7, 0.3)], { mode: "linear" }),
  row("Resize", [X, null, null, ints(8, 9)], { axes: [2, 3], mode: "linear" }),
  row("Resize", [X, numbers(1, 1, 2, 2)], { mode: "linear" }, 10),
  row("Upsample", [X, numbers(1, 1, 2, 2)], { mode: "nearest" }, 9),
  row("Upsample", [X], { mode: "linear", scales: { floats: [1, 1, 2, 2] } }, 7),
  row("Pad", [X, ints(0, 0, 1, 2, 0, 0, 3, 0), scalar(1.5)]),
  row("Pad", [X, ints(0, 0, 1, 2, 0, 0, 3, 0)], { mode: "reflect" }),
  row("Pad", [X, ints(1, 2, 3, 0), null, ints(2, 3)], { mode: "edge" }),
  row("Pad", [X], { pads: [0, 0, -1, 2, 0, 0, 1, -2], value: { float: 2 } }, 9),
  row("Crop", [X], { border: [1, 2, 0, 1] }, 7),
  row("DepthToSpace", [X], { blocksize: 2 }),
  row("DepthToSpace", [[1, 8, 2, 3]], { blocksize: 2, mode: "CRD" }),
  row("DepthToSpace", [[1, 8, 2, 3]], { blocksize: 2 }, 9),
  row("SpaceToDepth", [[2, 3, 4, 6]], { blocksize: 2 }),
];

const title = ({ op, attributes, inputs, opset }: Row): string => {
  const shapes = inputs.map((value) => (value && isTensor(value) ? `{${value.shape}}` : `[${value ?? ""}]`));
  return `${op} ${shapes.join(" ")} ${JSON.stringify(attributes)} opset ${opset}`;
};

describe.each(Object.entries({ CONVOLUTIONS, ARITHMETIC, ACTIVATIONS, SHAPES, POOLS, NORMS, PICTURES }))(
  "%s",
  (_, rows) => {
    test.each(rows.map((one) => [title(one), one] as const))("%s", async (_title, one) => {
      const { bytes, feeds } = oneNode(one);
      expect(await importDistance(bytes, feeds)).toBeLessThan(2e-6);
    });
  },
);
