/** Element types that graphs and files use. */
export type DType = "float32" | "int64" | "bool";

export type Shape = readonly number[];

/**
 * A dense, row-major array. `data` holds exactly the product of `shape` numbers; int64 data is held as BigInt64Array,
 * bool as Uint8Array.
 */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: Float32Array | BigInt64Array | Uint8Array;
}

/** The number of elements of a shape; 1 for a scalar. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, side) => product * side, 1);

/** A float32 tensor over the given numbers (copied unless already a Float32Array). */
export const tensor = (data: ArrayLike<number>, shape: Shape): Tensor => {
  const floats = data instanceof Float32Array ? data : Float32Array.from(data);
  if (floats.length !== sizeOf(shape))
    throw new RangeError(`tensor: expected ${sizeOf(shape)} numbers for [${shape.join(", ")}], got ${floats.length}.`);
  return { dtype: "float32", shape, data: floats };
};

/** An int64 tensor (indices, labels). */
export const indices = (values: ArrayLike<number>, shape: Shape): Tensor => ({
  dtype: "int64",
  shape,
  data: BigInt64Array.from(Array.from(values, (value) => BigInt(value))),
});

/** The data of a float32 tensor, typed. */
export const floats = (value: Tensor): Float32Array => {
  if (!(value.data instanceof Float32Array)) throw new TypeError(`expected a float32 tensor, got ${value.dtype}.`);
  return value.data;
};
