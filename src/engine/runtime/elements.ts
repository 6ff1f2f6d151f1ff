import { userError } from "../../errors.ts";
import { fromHalf, toHalf } from "../../tensor/half.ts";
import type { DType, Tensor } from "../../tensor/tensor.ts";

/** An element type of a file's ends: what it is here, and the way there and back. Both make memory of its own. */
export interface Element {
  readonly dtype: DType;
  /** @param where the input, for errors */
  readonly toFile: (data: Tensor["data"], where: string) => ArrayBufferView;
  readonly toOurs: (data: ArrayBufferView) => Tensor["data"];
}

type Numbers =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;
type View = new (numbers: Iterable<number>) => Numbers;

const same = (dtype: DType): Element => ({
  dtype,
  toFile: (data) => Uint8Array.prototype.slice.call(data), // a Buffer's own `slice` would share its memory
  toOurs: (data) => data as Tensor["data"],
});

/** Whole numbers of up to 32 bits. */
const whole = (type: string, View: View, least: bigint, most: bigint): Element => ({
  dtype: "int64",
  toFile(data, where) {
    const wrong = (data as BigInt64Array).find((value) => value < least || value > most);
    if (wrong !== undefined)
      throw userError(where, `expected whole numbers from ${least} to ${most} (${type} in the file), got ${wrong}`);
    return new View(Array.from(data as BigInt64Array, Number));
  },
  toOurs: (data) => BigInt64Array.from(Array.from(data as Numbers, BigInt)),
});

const bitsOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint16Array =>
  new Uint16Array(buffer, byteOffset, byteLength / 2);

/** By ONNX Runtime's names. Numbers above 2⁶³ of uint64 wrap, as in every signed integer of 64 bits. */
export const elements = {
  float32: same("float32"),
  float16: {
    dtype: "float32",
    toFile: (data) => Uint16Array.from(data as Float32Array, toHalf),
    toOurs: (data) => Float32Array.from(bitsOf(data), fromHalf),
  },
  float64: {
    dtype: "float32",
    toFile: (data) => Float64Array.from(data as Float32Array),
    toOurs: (data) => Float32Array.from(data as Float64Array),
  },
  bool: same("bool"),
  int64: same("int64"),
  uint64: {
    dtype: "int64",
    toFile: (data) => BigUint64Array.from(data as BigInt64Array),
    toOurs: (data) => BigInt64Array.from(data as unknown as BigUint64Array),
  },
  int32: whole("int32", Int32Array, -(2n ** 31n), 2n ** 31n - 1n),
  uint32: whole("uint32", Uint32Array, 0n, 2n ** 32n - 1n),
  int16: whole("int16", Int16Array, -32768n, 32767n),
  uint16: whole("uint16", Uint16Array, 0n, 65535n),
  int8: whole("int8", Int8Array, -128n, 127n),
  uint8: whole("uint8", Uint8Array, 0n, 255n),
} as const satisfies Readonly<Record<string, Element>>;

/** Element types that inputs and outputs of a foreign file may have. */
export type FileType = keyof typeof elements;
