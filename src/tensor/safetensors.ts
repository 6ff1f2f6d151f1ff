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

/** A file's tensors as its head describes them. @param head begins the file @param size bytes of the whole file */
function entriesIn(head: Uint8Array, size: number, where: string): Entry[] {
  const { header, begin } = split(head, where);
  const { __metadata__: _, ...rest } = header;
  const entries = Object.entries(rest).map(([name, entry]) => checkEntry(name, entry, where));
  checkLayout(entries, size - begin, where);
  return entries.map((entry) => ({ ...entry, begin: begin + entry.begin, end: begin + entry.end }));
}

/** @param bytes the tensor's own, at offset 0 of their buffer */
const tensorOf = ({ kind: { dtype, read }, shape }: Entry, bytes: Uint8Array<ArrayBuffer>): Tensor => ({
  dtype,
  shape,
  data: read(bytes),
});

/**
 * Reads a whole file. float16, bfloat16 and float64 become float32, small whole numbers int64. `where` names the file.
 * @throws UserError for a file that is damaged or none of the format
 */
export function readSafetensors(bytes: Uint8Array, where = "safetensors"): SafetensorsFile {
  const metadata = readMetadata(bytes, where);
  const tensors = entriesIn(bytes, bytes.length, where).map((entry) => {
    const own = new Uint8Array(bytes.subarray(entry.begin, entry.end));
    return [entry.name, tensorOf(entry, own)];
  });
  return { metadata, tensors: Object.fromEntries(tensors) };
}

/** Copies the bytes of a file from `begin` to before `end`; fewer where it ends before. */
export type ReadRange = (begin: number, end: number) => Promise<Uint8Array<ArrayBuffer>>;

/** As much of a file as most heads take. */
const ENOUGH = 4096;

/** The head of a file, for `readMetadata`, and perhaps more; what there is where the file is none of the format. */
export async function readHead(read: ReadRange): Promise<Uint8Array> {
  const first = await read(0, ENOUGH);
  const length = first.length < 8 ? 0 : 8 + lengthIn(first);
  return length <= first.length ? first : read(0, length);
}

/**
 * `readSafetensors` tensor by tensor: beside its tensors no part of the file is held, however large it is.
 * @param size bytes of the file
 * @throws UserError for a file that is damaged or none of the format
 */
export async function loadSafetensors(read: ReadRange, size: number, where: string): Promise<SafetensorsFile> {
  const head = await readHead(read);
  const metadata = readMetadata(head, where);
  const tensors: Record<string, Tensor> = {};
  for (const entry of entriesIn(head, size, where))
    tensors[entry.name] = tensorOf(entry, await read(entry.begin, entry.end));
  return { metadata, tensors };
}

/** What is known of a tensor before its numbers are. */
export type Described = Pick<Tensor, "dtype" | "shape">;

/** Where everything lies in a file: known from names and shapes alone, so that it can be written tensor by tensor. */
export interface SafetensorsLayout {
  /** What comes before the numbers. */
  readonly head: Uint8Array;
  /** By a tensor's name the byte of the file at which its numbers begin. */
  readonly offsets: ReadonlyMap<string, number>;
  /** Bytes of the whole file. */
  readonly length: number;
}

/** Whether floats are stored as float16, in half the space. */
interface Halving {
  readonly half?: boolean;
}

/**
 * The same tensors and metadata always give the same file: tensors by size of their numbers, then by name, so that
 * everything lies aligned; metadata by key; header padded with spaces to a multiple of eight.
 */
export function layoutOf(
  tensors: Readonly<Record<string, Described>>,
  metadata: Readonly<Record<string, string>> = {},
  { half = false }: Halving = {},
): SafetensorsLayout {
  const held = Object.entries(tensors).map(([name, { dtype, shape }]) => {
    const kind = half && dtype === "float32" ? "F16" : stored[dtype];
    return { name, kind, shape, size: kinds[kind]!.size };
  });
  held.sort((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1));
  const keys = Object.keys(metadata).sort();
  const fields = keys.length > 0 ? [`"__metadata__":{${keys.map((key) => pair(key, metadata[key])).join(",")}}`] : [];
  const begins = new Map<string, number>();
  let reached = 0;
  for (const { name, kind, shape, size } of held) {
    const end = reached + sizeOf(shape) * size;
    fields.push(pair(name, { dtype: kind, shape, data_offsets: [reached, end] }));
    begins.set(name, reached);
    reached = end;
  }
  const text = new TextEncoder().encode(`{${fields.join(",")}}`);
  const padded = Math.ceil(text.length / 8) * 8;
  const head = new Uint8Array(8 + padded).fill(0x20, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(text, 8);
  const offsets = new Map([...begins].map(([name, begin]) => [name, head.length + begin]));
  return { head, offsets, length: head.length + reached };
}

/** The numbers of a tensor as they lie in a file: a view of them, or other numbers where they are halved. */
export function numbersOf({ dtype, data }: Tensor, { half = false }: Halving = {}): Uint8Array {
  const values = half && dtype === "float32" ? Uint16Array.from(data as Float32Array, toHalf) : data;
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A whole file, by `layoutOf`. @throws UserError for a tensor whose shape is not that of its numbers */
export function writeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
  halving: Halving = {},
): Uint8Array {
  for (const [name, { shape, data }] of Object.entries(tensors))
    if (data.length !== sizeOf(shape)) throw userError(name, `expected ${sizeOf(shape)} numbers, got ${data.length}`);
  const { head, offsets, length } = layoutOf(tensors, metadata, halving);
  const file = new Uint8Array(length);
  file.set(head);
  for (const [name, value] of Object.entries(tensors)) file.set(numbersOf(value, halving), offsets.get(name)!);
  return file;
}

/** Throws when a number is infinite or not a number. */
export function assertFinite(tensors: Readonly<Record<string, Tensor>>, where: string, cure?: string): void {
  for (const [name, { data }] of Object.entries(tensors)) {
    if (!(data instanceof Float32Array)) continue;
    const index = firstWrong(data);
    if (index < data.length)
      throw userError(where, `expected finite numbers, got ${data[index]} in ${name} at position ${index}`, cure);
  }
}

/** The first number that is not finite; a loop, which takes a tenth of `findIndex`'s time. */
function firstWrong(data: Float32Array): number {
  let index = 0;
  while (index < data.length && Number.isFinite(data[index])) index++;
  return index;
}

const pair = (key: string, value: unknown): string => `${JSON.stringify(key)}:${JSON.stringify(value)}`;

/** The length of the header, which a file begins with. */
const lengthIn = ({ buffer, byteOffset }: Uint8Array): number =>
  Number(new DataView(buffer, byteOffset).getBigUint64(0, true));

/** The header as an object, and where the numbers begin. */
function split(bytes: Uint8Array, where: string): { header: Record<string, unknown>; begin: number } {
  if (bytes.length < 8)
    throw userError(where, `expected a safetensors file of at least 8 bytes, got ${bytes.length}`, again);
  const length = lengthIn(bytes);
  const rest = bytes.length - 8;
  if (length > rest)
    throw userError(
      where,
      `expected a header of at most the ${rest} bytes that follow, got a length of ${length}`,
      again,
    );
  return { header: parse(bytes.subarray(8, 8 + length), where), begin: 8 + length };
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
