import { userError } from "../../errors.ts";

/** Bytes that are read piece by piece: those of a file that need not fit in memory. */
export interface ByteSource {
  readonly size: number;
  /** At least one byte from the place given on, and at most `length`. */
  read(from: number, length: number): Uint8Array;
}

/** Bytes that are in memory. */
export const sourceOf = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  read: (from, length) => bytes.subarray(from, from + length),
});

/**
 * The messages of an ONNX file (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) in which tensors can be, by
 * field.
 */
const INSIDE = {
  model: { 7: "graph", 20: "training", 25: "function" },
  training: { 1: "graph", 2: "graph" },
  function: { 7: "node", 11: "attribute" },
  graph: { 1: "node", 5: "tensor", 15: "sparse" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse" },
  sparse: { 1: "tensor", 2: "tensor" },
  tensor: { 13: "external" },
  external: { 1: "text", 2: "text" },
  text: {},
} as const;
type Kind = keyof typeof INSIDE;

const WINDOW = 2 ** 16; // bytes read at a time
const LARGEST = 2 ** 70; // above every number of ten bytes with seven bits each
const DEEPEST = 100; // messages inside each other: where protobuf's own readers stop

/** Reads a model file's structure and passes over its numbers. */
class Walk {
  readonly locations = new Set<string>();
  readonly #source: ByteSource;
  #window: Uint8Array = new Uint8Array();
  #from = 0;
  #at = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  message(kind: Kind, end: number, depth = 0): void {
    if (depth > DEEPEST) throw new RangeError("messages too deep in each other");
    const entry = new Map<number, string>();
    while (this.#at < end) {
      const tag = this.#varint();
      const field = Math.floor(tag / 8);
      const length = this.#lengthOf(tag % 8);
      const after = this.#at + length;
      if (after > end) throw new RangeError("a field goes on after its message");
      const inner: Kind | undefined =
        tag % 8 === 2 ? (INSIDE[kind] as Readonly<Record<number, Kind>>)[field] : undefined;
      if (inner === "text") entry.set(field, this.#text(after));
      else if (inner) this.message(inner, after, depth + 1);
      this.#at = after;
    }
    if (kind === "external" && entry.get(1) === "location") this.locations.add(entry.get(2) ?? "");
  }

  /** Bytes of the value of a wire type; reads the length where it is told. */
  #lengthOf(wire: number): number {
    if (wire === 0) {
      this.#varint();
      return 0;
    }
    if (wire === 1) return 8;
    if (wire === 5) return 4;
    if (wire !== 2) throw new RangeError(`the wire type ${wire}`);
    return this.#varint();
  }

  #text(end: number): string {
    const bytes = new Uint8Array(end - this.#at);
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.#byte();
    return new TextDecoder().decode(bytes);
  }

  #varint(): number {
    let value = 0;
    for (let place = 1; place < LARGEST; place *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * place;
      if (byte < 128) return value;
    }
    throw new RangeError("a number of more than ten bytes");
  }

  #byte(): number {
    if (this.#at >= this.#source.size) throw new RangeError("the end of the file");
    const inside = this.#at - this.#from;
    if (inside < 0 || inside >= this.#window.length) {
      this.#window = this.#source.read(this.#at, WINDOW);
      this.#from = this.#at;
    }
    return this.#window[this.#at++ - this.#from]!;
  }
}

const isBeside = (location: string): boolean =>
  !/[:*\0]/.test(location) && location.split(/[\\/]/).every((part) => part !== "" && part !== "..");

/**
 * The files that a model file says hold numbers of it (external data), by the names it calls them: relative to its
 * folder. Tensors of subgraphs, functions and attributes count too. The numbers inside the file are passed over.
 * @param where the name of the file, for errors
 * @throws UserError when the bytes are no ONNX model, or a name leads out of the file's folder
 */
export function externalFiles(source: ByteSource, where: string): string[] {
  const walk = new Walk(source);
  try {
    walk.message("model", source.size);
  } catch (error) {
    throw userError(
      where,
      `expected an ONNX model, got ${source.size} bytes that are none (${(error as Error).message})`,
    );
  }
  const outside = [...walk.locations].find((location) => !isBeside(location));
  if (outside !== undefined)
    throw userError(
      where,
      `expected weights inside the file or beside it, got a reference to "${outside}"`,
      "Save the model again with its weights in its own folder.",
    );
  return [...walk.locations];
}
