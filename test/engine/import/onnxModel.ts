import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import * as ort from "onnxruntime-node";
import { importOnnx } from "../../../src/engine/import/importOnnx.ts";
import { evaluate, inputsOf, type Node, parametersOf, type Tensors } from "../../../src/engine/index.ts";
import { input } from "../../../src/engine/ops/leaf.ts";
import { type DType, type Shape, sizeOf, type Tensor } from "../../../src/tensor/tensor.ts";
import { distance, seeded } from "../support.ts";

/** A tensor of any element type, by its number in TensorProto.DataType; or its bytes lie in another file. */
export interface RawTensor {
  readonly code: number;
  readonly shape: Shape;
  readonly bytes?: ArrayBufferView;
  readonly external?: Readonly<Record<string, string>>;
}

/** Whole numbers are ints, `{ float }` and `{ floats }` floats. */
export type Attribute =
  | number
  | string
  | readonly number[]
  | Tensor
  | RawTensor
  | { readonly graph: ModelSpec }
  | { readonly float: number }
  | { readonly floats: readonly number[] };

export interface ModelNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: string;
}

export interface ModelEnd {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly dtype?: DType;
  /** The element type's number, where it is none of ours. */
  readonly code?: number;
}

export interface ModelSpec {
  readonly opset?: number;
  readonly nodes: readonly ModelNode[];
  readonly constants?: Readonly<Record<string, Tensor | RawTensor>>;
  readonly inputs: readonly ModelEnd[];
  /** Names of the outputs; their shapes are left open, and they are float32 unless their element type's number stands by them. */
  readonly outputs: readonly (string | readonly [name: string, code: number])[];
}

const CODES: Record<DType, number> = { float32: 1, int64: 7, bool: 9 };

const message = (writer: BinaryWriter, field: number, fill: (writer: BinaryWriter) => void): void => {
  writer.tag(field, WireType.LengthDelimited).fork();
  fill(writer);
  writer.join();
};
export const text = (writer: BinaryWriter, field: number, value: string): BinaryWriter =>
  writer.tag(field, WireType.LengthDelimited).string(value);
export const int = (writer: BinaryWriter, field: number, value: number): BinaryWriter =>
  writer.tag(field, WireType.Varint).int64(value);

const rawOf = (value: Tensor | RawTensor): RawTensor =>
  "code" in value ? value : { code: CODES[value.dtype], shape: value.shape, bytes: value.data };

function writeTensor(writer: BinaryWriter, name: string, value: Tensor | RawTensor): void {
  const { code, shape, bytes, external } = rawOf(value);
  for (const side of shape) int(writer, 1, side);
  int(writer, 2, code);
  text(writer, 8, name);
  if (bytes) writer.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)); // biome-ignore format: one line
  for (const [key, told] of Object.entries(external ?? {})) message(writer, 13, (w) => text(text(w, 1, key), 2, told));
  if (external) int(writer, 14, 1);
}

function writeAttribute(writer: BinaryWriter, name: string, value: Attribute): void {
  text(writer, 1, name);
  const kind = (code: number): BinaryWriter => int(writer, 20, code);
  if (typeof value === "number") int(kind(2), 3, value);
  else if (typeof value === "string") text(kind(3), 4, value);
  else if ("float" in value) kind(1).tag(2, WireType.Bit32).float(value.float);
  else if ("graph" in value) message(kind(5), 6, (w) => writeGraph(w, value.graph));
  else if ("dtype" in value || "code" in value) message(kind(4), 5, (w) => writeTensor(w, "", value));
  else if ("floats" in value) for (const item of value.floats) kind(6).tag(7, WireType.Bit32).float(item);
  else for (const item of value) int(kind(7), 8, item);
}

function writeEnd(writer: BinaryWriter, { name, shape, dtype = "float32", code = CODES[dtype] }: ModelEnd): void {
  text(writer, 1, name);
  message(writer, 2, (type) =>
    message(type, 1, (tensor) => {
      int(tensor, 1, code);
      message(tensor, 2, (dims) => {
        for (const side of shape)
          message(dims, 1, (dim) => (typeof side === "number" ? int(dim, 1, side) : text(dim, 2, side)));
      });
    }),
  );
}

function writeGraph(graph: BinaryWriter, { nodes, constants = {}, inputs, outputs }: ModelSpec): void {
  nodes.forEach((node, at) => {
    message(graph, 1, (w) => {
      for (const name of node.inputs) text(w, 1, name);
      for (const name of node.outputs) text(w, 2, name);
      text(w, 3, `node ${at}`);
      text(w, 4, node.op);
      for (const [name, value] of Object.entries(node.attributes ?? {}))
        message(w, 5, (a) => writeAttribute(a, name, value));
      if (node.domain) text(w, 7, node.domain);
    });
  });
  text(graph, 2, "small");
  for (const [name, value] of Object.entries(constants)) message(graph, 5, (w) => writeTensor(w, name, value));
  for (const end of inputs) message(graph, 11, (w) => writeEnd(w, end));
  for (const end of outputs)
    message(graph, 12, (w) => (typeof end === "string" ? openEnd(w, end) : openEnd(w, ...end)));
}

/** The bytes of a small model made by hand. */
export function model(spec: ModelSpec): Uint8Array {
  const { opset = 18 } = spec;
  const writer = new BinaryWriter();
  int(writer, 1, opset < 10 ? 4 : 8);
  message(writer, 7, (graph) => writeGraph(graph, spec));
  message(writer, 8, (w) => int(w, 2, opset));
  return writer.finish();
}

/** An output whose shape the file does not tell. */
function openEnd(writer: BinaryWriter, name: string, code = 1): void {
  text(writer, 1, name);
  message(writer, 2, (type) => message(type, 1, (tensor) => int(tensor, 1, code)));
}

/** Seeded numbers in −2…2, or 0.5…2.5 where only positive ones will do. */
export function filled(shape: Shape, seed = 1, positive = false): Tensor {
  const random = seeded(seed);
  const data = Float32Array.from({ length: sizeOf(shape) }, () => (positive ? 0.5 + 2 * random() : 4 * random() - 2));
  return { dtype: "float32", shape, data };
}

/** Runs a file in onnxruntime-node itself. */
export async function runFile(bytes: Uint8Array, feeds: Tensors): Promise<Record<string, Tensor>> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const given = Object.entries(feeds).map(([name, { dtype, data, shape }]) => [
    name,
    new ort.Tensor(dtype, data as Float32Array, shape),
  ]);
  const results = await session.run(Object.fromEntries(given));
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, { data, dims }]) => [
      name,
      { dtype: "float32", shape: dims, data: Float32Array.from(data as Float32Array, Number) } satisfies Tensor,
    ]),
  );
}

const toArray = ({ shape, data }: Tensor) => ({ shape, data: Float64Array.from(data as Float32Array, Number) });

/** Computes nodes by the reference, feeds by input name and weights by "network/parameter". */
export function reference(nodes: readonly Node[], feeds: Tensors, weights: Tensors) {
  const values = new Map<Node, ReturnType<typeof toArray>>();
  for (const leaf of inputsOf(nodes)) values.set(leaf, toArray(feeds[leaf.attributes.name]!));
  for (const leaf of parametersOf(nodes)) {
    const { network, name } = leaf.attributes;
    values.set(leaf, toArray(weights[`${network}/${name}`]!));
  }
  return evaluate(nodes, values);
}

/** The largest difference between a file run by ONNX Runtime and the same file imported and run by the reference. */
export async function importDistance(bytes: Uint8Array, feeds: Tensors): Promise<number> {
  const imported = importOnnx(bytes, "small.onnx");
  const leaves = imported.inputs.map(({ name, dtype }) => input(name, feeds[name]!.shape, { dtype }));
  const ours = reference(imported.build(leaves), feeds, imported.weights);
  const theirs = await runFile(bytes, feeds);
  const distances = imported.outputs.map((name, at) =>
    `${theirs[name]!.shape}` === `${ours[at]!.shape}`
      ? distance(ours[at]!.data, theirs[name]!.data as Float32Array)
      : Number.POSITIVE_INFINITY,
  );
  return Math.max(...distances);
}
