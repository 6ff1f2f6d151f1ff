import type { DType, Shape } from "../../tensor/tensor.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { Emit, OnnxAttribute, Target } from "../graph/emit.ts";

export interface OnnxNode {
  readonly op: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxConstant {
  readonly name: string;
  /** float16 is a way to store weights: nothing is computed in it. */
  readonly dtype: DType | "float16";
  readonly shape: Shape;
  readonly bytes: Uint8Array;
}

const toBytes = (data: ArrayLike<number>, dtype: DType): Uint8Array => {
  if (dtype === "bool") return Uint8Array.from(data, (value) => (value ? 1 : 0));
  const typed = dtype === "int64" ? BigInt64Array.from(Array.from(data, (v) => BigInt(v))) : Float32Array.from(data);
  return new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
};

/** FNV-1a. */
function hashOf(bytes: Uint8Array): number {
  let hash = 2166136261;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619);
  return hash;
}

const REPEATED = 4096; // a repeated number is stored in full up to this many elements

/** Collects nodes and constants of one model. */
export class Emitter implements Emit {
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxConstant[] = [];
  /** Layer path that the next nodes belong to. */
  scope = "";
  readonly target: Target;
  readonly #made = new Map<string, string>();
  /** What a Reshape was made of: one of another reads the same values, and ONNX Runtime moves pairs that it joins. */
  readonly #unshaped = new Map<string, string>();
  /** Constants by a hash of what they hold: two of the same numbers are one, so what is computed from them is too. */
  readonly #alike = new Map<string, readonly { readonly name: string; readonly bytes: Uint8Array }[]>();
  #count = 0;

  constructor(target: Target) {
    this.target = target;
  }

  node(op: string, given: readonly string[], attributes: Record<string, OnnxAttribute> = {}, domain = ""): string {
    const inputs = op === "Reshape" ? [this.#unshaped.get(given[0]!) ?? given[0]!, ...given.slice(1)] : given;
    const key = JSON.stringify([op, domain, inputs, attributes]);
    const before = this.#made.get(key);
    if (before) return before;
    const output = this.fresh();
    this.nodes.push({ op, domain, name: `${this.scope} › ${op} ${output}`, inputs, outputs: [output], attributes });
    this.#made.set(key, output);
    if (op === "Reshape") this.#unshaped.set(output, inputs[0]!);
    return output;
  }

  constant(data: ArrayLike<number>, shape: Shape, dtype: DType = "float32"): string {
    const size = sizeOf(shape);
    if (data.length === 1 && size > REPEATED)
      return this.node("Expand", [this.constant(data, [], dtype), this.ints(shape)]);
    const full = data.length === 1 && size !== 1 ? new Array<number>(size).fill(data[0]!) : data;
    const bytes = toBytes(full, dtype);
    const key = `constant ${dtype} [${shape}] ${hashOf(bytes)}`;
    const alike = this.#alike.get(key) ?? [];
    const before = alike.find((one) => one.bytes.every((byte, at) => byte === bytes[at]));
    if (before) return before.name;
    const name = this.stored(bytes, shape, dtype);
    this.#alike.set(key, [...alike, { name, bytes }]);
    return name;
  }

  /** A constant whose bytes are at hand (weights). */
  stored(bytes: Uint8Array, shape: Shape, dtype: DType, name = this.fresh()): string {
    this.constants.push({ name, dtype, shape, bytes });
    return name;
  }

  ints(values: readonly number[]): string {
    return this.constant(values, [values.length], "int64");
  }

  scalar(value: number): string {
    return this.constant([value], []);
  }

  known(name: string): number | undefined {
    const constant = this.constants.find((one) => one.name === name);
    if (constant?.dtype !== "float32" || sizeOf(constant.shape) !== 1) return undefined;
    return new DataView(constant.bytes.buffer, constant.bytes.byteOffset).getFloat32(0, true);
  }

  fresh(): string {
    return `%${this.#count++}`;
  }
}
