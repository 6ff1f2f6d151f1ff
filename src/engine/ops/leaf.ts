import { internal } from "../../errors.ts";
import type { DType, Shape } from "../../tensor/tensor.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { ConstantAttributes, InputAttributes, Noise, ParameterAttributes } from "../graph/leaf.ts";
import { defineOp, type Node } from "../graph/node.ts";

const unbound = (name: string) => (): never => {
  throw internal(`${name} reached a runtime without a value`);
};

export const inputOp = defineOp<InputAttributes>({
  name: "input",
  shape: (_, { shape }) => shape,
  dtype: (_, { dtype }) => dtype,
  onnx: unbound("input"),
  reference: unbound("input"),
  examples: [],
});

/**
 * A value fed at every run. With `noise` the step fills it from its seeded generator instead (0…1 or standard normal).
 */
export const input = (
  name: string,
  shape: Shape,
  { dtype = "float32", noise }: { dtype?: DType; noise?: Noise } = {},
): Node => inputOp([], { name, shape, dtype, noise });

export const parameter = defineOp<ParameterAttributes>({
  name: "parameter",
  shape: (_, { shape }) => shape,
  onnx: unbound("parameter"),
  reference: unbound("parameter"),
  examples: [],
});

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
