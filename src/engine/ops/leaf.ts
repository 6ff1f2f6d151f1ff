import { internal } from "../../errors.ts";
import type { DType, Shape } from "../../tensor/tensor.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { defineOp, type Node } from "../graph/node.ts";

const unbound = (name: string) => (): never => {
  throw internal(`${name} reached a runtime without a value`);
};

/** What a leaf is filled with when nobody feeds it: numbers of the step's seeded generator. */
export type Noise = "normal" | "uniform";

export interface InputAttributes {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly noise?: Noise;
}

export const inputOp = defineOp<InputAttributes>({
  name: "input",
  shape: (_, { shape }) => shape,
  dtype: (_, { dtype }) => dtype,
  onnx: unbound("input"),
  reference: unbound("input"),
  examples: [],
});

/** A value fed at every run. With `noise` the step fills it from its seeded generator instead (0…1 or standard normal). */
export const input = (
  name: string,
  shape: Shape,
  { dtype = "float32", noise }: { dtype?: DType; noise?: Noise } = {},
): Node => inputOp([], { name, shape, dtype, noise });

/** How the first values of a parameter are drawn, in plain data. `fan` is the number of inputs that one output sums. */
export type Initializer =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "normal"; readonly std: number; readonly mean?: number }
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "icnr"; readonly scale: number; readonly base: Initializer }
  | {
      readonly kind: "identity";
      readonly place: "first" | "between" | "last";
      readonly planes: number;
      readonly base: Initializer;
    };

export interface ParameterAttributes {
  /** Dotted name inside its network, "body.3.conv.weight". */
  readonly name: string;
  /** The network that owns it; losses move the weights of whole networks. */
  readonly network: string;
  readonly shape: Shape;
  readonly initializer: Initializer;
  /** False for running statistics: kept and saved, but moved by no optimizer. */
  readonly trainable: boolean;
}

export const parameter = defineOp<ParameterAttributes>({
  name: "parameter",
  shape: (_, { shape }) => shape,
  onnx: unbound("parameter"),
  reference: unbound("parameter"),
  examples: [],
});

export interface ConstantAttributes {
  /** All elements, or one number for every element. */
  readonly data: ArrayLike<number>;
  readonly shape: Shape;
  readonly dtype: DType;
}

export const constantOp = defineOp<ConstantAttributes>({
  name: "constant",
  shape: (_, { shape }) => shape,
  dtype: (_, { dtype }) => dtype,
  onnx: (emit, _, { attributes: { data, shape, dtype } }) => emit.constant(data, shape, dtype),
  reference: (_, { attributes: { data, shape } }) =>
    data.length === 1 ? new Float64Array(sizeOf(shape)).fill(data[0]!) : Float64Array.from(data),
  examples: [],
});

/** Numbers written into the graph: all elements in row-major order, or one number repeated. */
export const constant = (data: ArrayLike<number>, shape: Shape = [], dtype: DType = "float32"): Node =>
  constantOp([], { data, shape, dtype });

/** A node as it is, a number as a scalar constant. */
export const node = (value: Node | number): Node => (typeof value === "number" ? constant([value]) : value);
