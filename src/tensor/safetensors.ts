import { userError } from "../errors.ts";
import { fromHalf, toHalf } from "./half.ts";
import { type DType, type Shape, sizeOf, type Tensor } from "./tensor.ts";

/**
 * The safetensors format: 8 bytes of header length (little-endian), a JSON header, then the raw little-endian numbers.
 * https://github.com/huggingface/safetensors#format; like the reference reader we refuse holes, overlaps and rests.
 */
export interface SafetensorsFile {
  readonly tensors: Record<string, Tensor>;
  readonly metadata: Record<string, string>;
}

interface Entry {
  readonly name: string;
  readonly kind: Kind;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

/** How the numbers of one stored type are read. `bytes` starts at offset 0 of its buffer. */
interface Kind {
  readonly size: number;
  readonly dtype: DType;
  readonly read: (bytes: Uint8Array<ArrayBuffer>) => Tensor["data"];
}

const halves = (bytes: Uint8Array<ArrayBuffer>): Float32Array =>
  Float32Array.from(new Uint16Array(bytes.buffer), fromHalf);

/** bfloat16 is the upper half of a float32. */
const brains = (bytes: Uint8Array<ArrayBuffer>): Float32Array =>
  new Float32Array(Uint32Array.from(new Uint16Array(bytes.buffer), (bits) => bits << 16).buffer);

const whole =
  (View: new (buffer: ArrayBuffer) => ArrayLike<number>) =>
  (bytes: Uint8Array<ArrayBuffer>): BigInt64Array =>
    BigInt64Array.from(Array.from(new View(bytes.buffer), BigInt));

const kinds: Readonly<Record<string, Kind>> = {
  F64: { size: 8, dtype: "float32", read: ({ buffer }) => Float32Array.from(new Float64Array(buffer)) },
  F32: { size: 4, dtype: "float32", read: ({ buffer }) => new Float32Array(buffer) },
  F16: { size: 2, dtype: "float32", read: halves },
  BF16: { size: 2, dtype: "float32", read: brains },
  I64: { size: 8, dtype: "int64", read: ({ buffer }) => new BigInt64Array(buffer) },
  I32: { size: 4, dtype: "int64", read: whole(Int32Array) },
  I16: { size: 2, dtype: "int64", read: whole(Int16Array) },
  I8: { size: 1, dtype: "int64", read: whole(Int8Array) },
  U8: { size: 1, dtype: "int64", read: whole(Uint8Array) },
  BOOL: { size: 1, dtype: "bool", read: (bytes) => bytes.map((value) => (value === 0 ? 0 : 1)) },
};

const stored: Readonly<Record<DType, string>> = { float32: "F32", int64: "I64", bool: "BOOL" };

const again = "The file is damaged or is not a safetensors file; fetch or write it again.";

/** What a file says besides its numbers, which are not looked at. @throws UserError for a file without a head */
export function readMetadata(bytes: Uint8Array, where = "safetensors"): Record<string, string> {
  const { __metadata__: metadata = {} } = split(bytes, where).header;
  checkMetadata(metadata, where);
  return metadata as Record<string, string>;
}

/**
 * Reads a whole file. float16, bfloat16 and float64 become float32, small whole numbers int64. `where` names the file.
 */
export function readSafetensors(bytes: Uint8Array, where = "safetensors"): SafetensorsFile {
  const { header, body } = split(bytes, where);
  const { __metadata__: _, ...rest } = header;
  const metadata = readMetadata(bytes, where);
  const entries = Object.entries(rest).map(([name, entry]) => checkEntry(name, entry, where));
  checkLayout(entries, body.length, where);
  return {
    metadata,
    tensors: Object.fromEntries(
      entries.map(({ name, kind: { dtype, read }, shape, begin, end }) => [
        name,
        { dtype, shape, data: read(new Uint8Array(body.subarray(begin, end))) },
      ]),
    ),
  };
}

/**
 * The same tensors and metadata always give the same bytes: tensors by size of their numbers, then by name, so that
 * everything lies aligned; metadata by key; header padded with spaces to a multiple of eight.
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
  { half = false }: { readonly half?: boolean } = {},
): Uint8Array {
  const held = Object.entries(tensors).map(([name, tensor]): Stored => {
    const { shape, data } = tensor;
    if (data.length !== sizeOf(shape)) throw userError(name, `expected ${sizeOf(shape)} numbers, got ${data.length}`);
    return { name, shape, ...bytesOf(tensor, half) };
  });
  held.sort((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1));
  const keys = Object.keys(metadata).sort();
  const fields = keys.length > 0 ? [`"__metadata__":{${keys.map((key) => pair(key, metadata[key])).join(",")}}`] : [];
  let offset = 0;
  for (const { name, kind, shape, bytes } of held) {
    fields.push(pair(name, { dtype: kind, shape, data_offsets: [offset, offset + bytes.length] }));
    offset += bytes.length;
  }
  const text = new TextEncoder().encode(`{${fields.join(",")}}`);
  const length = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + length + offset).fill(0x20, 8, 8 + length);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.set(text, 8);
  offset = 8 + length;
  for (const { bytes } of held) {
    file.set(bytes, offset);
    offset += bytes.length;
  }
  return file;
}

/** A tensor as it lies in a file. */
interface Stored {
  readonly name: string;
  readonly shape: Shape;
  readonly kind: string;
  /** Bytes of one number. */
  readonly size: number;
  readonly bytes: Uint8Array;
}

const bytesOf = ({ dtype, data }: Tensor, half: boolean): Pick<Stored, "kind" | "size" | "bytes"> => {
  const isHalf = half && dtype === "float32";
  const values = isHalf ? Uint16Array.from(data as Float32Array, toHalf) : data;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { kind: isHalf ? "F16" : stored[dtype], size: values.BYTES_PER_ELEMENT, bytes };
};

/** Throws when a number is infinite or not a number. */
export function assertFinite(tensors: Readonly<Record<string, Tensor>>, where: string, cure?: string): void {
  for (const [name, { data }] of Object.entries(tensors)) {
    if (!(data instanceof Float32Array)) continue;
    const index = data.findIndex((value) => !Number.isFinite(value));
    if (index >= 0)
      throw userError(where, `expected finite numbers, got ${data[index]} in ${name} at position ${index}`, cure);
  }
}

const pair = (key: string, value: unknown): string => `${JSON.stringify(key)}:${JSON.stringify(value)}`;

/** The header as an object and the bytes after it. */
function split(bytes: Uint8Array, where: string): { header: Record<string, unknown>; body: Uint8Array } {
  if (bytes.length < 8)
    throw userError(where, `expected a safetensors file of at least 8 bytes, got ${bytes.length}`, again);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const rest = bytes.length - 8;
  if (length > rest)
    throw userError(
      where,
      `expected a header of at most the ${rest} bytes that follow, got a length of ${length}`,
      again,
    );
  return { header: parse(bytes.subarray(8, 8 + length), where), body: bytes.subarray(8 + length) };
}

function parse(bytes: Uint8Array, where: string): Record<string, unknown> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const header: unknown = JSON.parse(text);
    if (isObject(header)) {
      checkUnique(text, where);
      return header;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)) throw error;
  }
  throw userError(where, "expected a header that is a JSON object, got something else", again);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** JSON.parse keeps the last of equal keys without a word; `text` has been parsed, so that a rough scan will do. */
function checkUnique(text: string, where: string): void {
  const open: Set<string>[] = [];
  for (const [, token, isKey] of text.matchAll(/("(?:[^"\\]|\\.)*"|[{}])(\s*:)?/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (isKey) {
      const key = JSON.parse(token!) as string;
      const keys = open.at(-1)!;
      if (keys.has(key)) throw userError(where, `expected each name once, got ${token} twice`, again);
      keys.add(key);
    }
  }
}

function checkMetadata(metadata: unknown, where: string): void {
  if (!isObject(metadata) || Object.values(metadata).some((value) => typeof value !== "string"))
    throw userError(where, "expected __metadata__ to hold texts, got something else", again);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const areCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);

function checkEntry(name: string, entry: unknown, where: string): Entry {
  const fail = (what: string): Error => userError(where, `${name}: ${what}`, again);
  if (!isObject(entry)) throw fail("expected a tensor's dtype, shape and data_offsets, got something else");
  const { dtype, shape, data_offsets: offsets } = entry;
  const kind = typeof dtype === "string" && Object.hasOwn(kinds, dtype) ? kinds[dtype] : undefined;
  if (!kind)
    throw userError(
      where,
      `${name}: expected a dtype of ${Object.keys(kinds).join(", ")}, got ${JSON.stringify(dtype)}`,
    );
  if (!areCounts(shape)) throw fail("expected a shape of whole numbers, got something else");
  if (!areCounts(offsets) || offsets.length !== 2) throw fail("expected two data_offsets, got something else");
  const [begin, end] = offsets as [number, number];
  if (end - begin !== sizeOf(shape) * kind.size)
    throw fail(
      `expected ${sizeOf(shape) * kind.size} bytes for ${dtype} [${shape.join(", ")}], got data_offsets ${begin} to ${end}`,
    );
  return { name, kind, shape, begin, end };
}

/** Every byte of the body must belong to exactly one tensor. */
function checkLayout(entries: readonly Entry[], length: number, where: string): void {
  let reached = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== reached)
      throw userError(where, `${name}: expected its bytes to start at ${reached}, got ${begin}`, again);
    reached = end;
  }
  if (reached !== length) throw userError(where, `expected ${reached} bytes of numbers, got ${length}`, again);
}
