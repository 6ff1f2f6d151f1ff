import type { DType, Shape } from "../../tensor/tensor.ts";

/** Where a graph will run. "file" is a model for other programs: standard ops only. */
export type Target = "cpu" | "webgpu" | "wasm" | "file";

/** Whole numbers become ints, `{ float }` a float. */
export type OnnxAttribute = number | readonly number[] | string | { readonly float: number };

/** ONNX's numbers for element types (TensorProto.DataType). */
export const elementCodes = { float32: 1, int64: 7, bool: 9 } as const satisfies Record<DType, number>;

/**
 * What a row's `onnx` writes with. The same node asked for twice is written once, so forward and backward share copies.
 */
export interface Emit {
  readonly target: Target;
  /**
   * Writes one node of the standard domain (or `domain`) and returns the name of its output. "" leaves an optional
   * input out.
   */
  node(op: string, inputs: readonly string[], attributes?: Record<string, OnnxAttribute>, domain?: string): string;
  constant(data: ArrayLike<number>, shape: Shape, dtype?: DType): string;
  /** A one-dimensional int64 constant: axes, shapes, pads. */
  ints(values: readonly number[]): string;
  /** A float32 scalar. */
  scalar(value: number): string;
  /** The number behind a name, when it is a stored constant of one float32 (a weight that no longer changes). */
  known(name: string): number | undefined;
}
