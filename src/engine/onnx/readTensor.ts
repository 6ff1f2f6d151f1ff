import { userError } from "../../errors.ts";
import { fromHalf } from "../../tensor/half.ts";
import { type DType, type Shape, sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { asBigInt, asDouble, asFloat, asInt, type Message } from "./message.ts";

/**
 * An element type of ONNX: bytes each in raw form, what it becomes here, and how. `bytes` starts at offset 0 of its
 * buffer.
 */
interface Kind {
  readonly size: number;
  readonly dtype: DType;
  readonly raw: (bytes: Uint8Array<ArrayBuffer>) => Tensor["data"];
}

const halves = ({ buffer }: Uint8Array<ArrayBuffer>): Float32Array =>
  Float32Array.from(new Uint16Array(buffer), fromHalf);

/** bfloat16 is the upper half of a float32. */
const brains = ({ buffer }: Uint8Array<ArrayBuffer>): Float32Array =>
  new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);

const whole =
  (View: new (buffer: ArrayBuffer) => ArrayLike<number>) =>
  ({ buffer }: Uint8Array<ArrayBuffer>): BigInt64Array =>
    BigInt64Array.from(Array.from(new View(buffer), BigInt));

/** By the numbers of TensorProto.DataType. */
const KINDS: Readonly<Record<number, Kind>> = {
  1: { size: 4, dtype: "float32", raw: ({ buffer }) => new Float32Array(buffer) },
  2: { size: 1, dtype: "int64", raw: whole(Uint8Array) },
  3: { size: 1, dtype: "int64", raw: whole(Int8Array) },
  4: { size: 2, dtype: "int64", raw: whole(Uint16Array) },
  5: { size: 2, dtype: "int64", raw: whole(Int16Array) },
  6: { size: 4, dtype: "int64", raw: whole(Int32Array) },
  7: { size: 8, dtype: "int64", raw: ({ buffer }) => new BigInt64Array(buffer) },
  9: { size: 1, dtype: "bool", raw: (bytes) => bytes.map((value) => (value ? 1 : 0)) },
  10: { size: 2, dtype: "float32", raw: halves },
  11: { size: 8, dtype: "float32", raw: ({ buffer }) => Float32Array.from(new Float64Array(buffer)) },
  12: { size: 4, dtype: "int64", raw: whole(Uint32Array) },
  13: { size: 8, dtype: "int64", raw: ({ buffer }) => new BigInt64Array(buffer) },
  16: { size: 2, dtype: "float32", raw: brains },
};
const FLOAT = 1;
const HALF = 10;
const DOUBLE = 11;

/** The engine's element type for one of ONNX, or undefined: halves and doubles become float32, whole numbers int64. */
export const dtypeOf = (kind: number): DType | undefined => KINDS[kind]?.dtype;

const RANK = 16;

/** The numbers of a tensor that are stored in one of the lists. */
function listed(message: Message, kind: number, dtype: DType): Tensor["data"] {
  if (kind === DOUBLE) return Float32Array.from(message.numbers(10, asDouble));
  if (kind === FLOAT) return Float32Array.from(message.numbers(4, asFloat));
  const whole = [5, 7, 11].flatMap((field) => (message.has(field) ? [field] : []));
  const values = message.numbers(whole[0] ?? 5, asBigInt);
  const halfBytes = (): Uint8Array<ArrayBuffer> => new Uint8Array(Uint16Array.from(values, Number).buffer);
  if (dtype === "float32") return kind === HALF ? halves(halfBytes()) : brains(halfBytes());
  return dtype === "bool" ? Uint8Array.from(values, (value) => (value ? 1 : 0)) : BigInt64Array.from(values);
}

/** The numbers of a tensor and how many there are, from whichever form the file has. */
function stored(
  message: Message,
  kind: number,
  { size, dtype, raw }: Kind,
): { count: number; make: () => Tensor["data"] } {
  const bytes = message.content(9);
  if (bytes) return { count: bytes.length / size, make: () => raw(new Uint8Array(bytes)) };
  const data = listed(message, kind, dtype);
  return { count: data.length, make: () => data };
}

/**
 * A tensor of a model file, float16 and bfloat16 widened to float32. Its size is checked against the bytes that are
 * there.
 * @throws UserError for a tensor that is damaged or of another element type
 */
export function readTensor(message: Message, where: string): { name: string; tensor: Tensor } {
  const [name, kind] = [message.text(8), message.number(2, asInt)];
  const place = `${where} › tensor ${name || "without a name"}`;
  const known = KINDS[kind];
  if (message.number(14, asInt) === 1)
    throw userError(
      place,
      "expected the numbers inside the file, got a reference to another file (external data)",
      "Save the model with its weights in one file.",
    );
  if (!known) throw userError(place, `expected floats, whole numbers or booleans, got the element type ${kind}`);
  const shape: Shape = message.numbers(1, asInt, RANK);
  const wanted = shape.every((side) => Number.isSafeInteger(side) && side >= 0) ? sizeOf(shape) : Number.NaN;
  const { count, make } = stored(message, kind, known);
  if (count !== wanted) throw userError(place, `expected ${wanted} numbers for [${shape.join(", ")}], got ${count}`);
  return { name, tensor: { dtype: known.dtype, shape, data: make() } };
}
