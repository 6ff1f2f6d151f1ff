import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { internal } from "../../errors.ts";
import type { DType, Shape, Tensor } from "../../tensor/tensor.ts";
import type { OnnxAttribute, Target } from "../graph/emit.ts";
import { elementCodes } from "../graph/emit.ts";
import type { InputAttributes, ParameterAttributes } from "../graph/leaf.ts";
import { type Node, topological } from "../graph/node.ts";
import { inputOp } from "../ops/leaf.ts";
import { Emitter, type OnnxConstant, type OnnxNode } from "./emitter.ts";
import { orderForRuntime } from "./runOrder.ts";

/** A graph with its ends named: what a model file holds. */
export interface GraphEnds {
  /** Leaves that are fed, in order; they are `input` nodes. */
  readonly inputs: readonly Node[];
  readonly outputs: Readonly<Record<string, Node>>;
  /** Values of the other leaves (weights), stored in the model. */
  readonly bindings?: ReadonlyMap<Node, Tensor>;
}

/** The nodes and constants of a model, before they are bytes. */
export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  readonly inputs: readonly { name: string; dtype: DType; shape: Shape }[];
  readonly outputs: readonly { name: string; dtype: DType; shape: Shape }[];
}

export const OPSET = 18;
const HALF = 10; // ONNX's number for float16

const isParameter = (node: Node): node is Node<ParameterAttributes> => node.op.name === "parameter";

const bytesOf = ({ data }: Tensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** What the stored parameters are called: their own names, with the network's where two networks share one. */
function nameParameters(nodes: Iterable<Node>): Map<Node, string> {
  const parameters = [...nodes].filter(isParameter);
  const count = new Map<string, number>();
  for (const { attributes } of parameters) count.set(attributes.name, (count.get(attributes.name) ?? 0) + 1);
  return new Map(
    parameters.map((node) => {
      const { name, network } = node.attributes;
      return [node, count.get(name) === 1 ? name : `${network}/${name}`];
    }),
  );
}

/**
 * Nodes whose values have the names of the outputs. An input or constant that is an output is copied, and so is a value
 * that has another output's name already.
 */
function withOutputs(
  nodes: readonly OnnxNode[],
  outputs: GraphEnds["outputs"],
  names: ReadonlyMap<Node, string>,
): readonly OnnxNode[] {
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const renamed = new Map<string, string>();
  const copies: OnnxNode[] = [];
  for (const [name, node] of Object.entries(outputs)) {
    const value = names.get(node)!;
    if (made.has(value) && !renamed.has(value)) renamed.set(value, name);
    else
      copies.push({
        op: "Identity",
        domain: "",
        name: `${node.scope} › Identity output ${name}`,
        inputs: [value],
        outputs: [name],
        attributes: {},
      });
  }
  const rename = (value: string): string => renamed.get(value) ?? value;
  return [...nodes, ...copies].map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }));
}

/** Lowers a graph to ONNX nodes for a target. */
export function lower({ inputs, outputs, bindings = new Map() }: GraphEnds, target: Target): OnnxGraph {
  const emitter = new Emitter(target);
  const constantNames = nameParameters(bindings.keys());
  const names = new Map<Node, string>(inputs.map((input) => [input, (input.attributes as InputAttributes).name]));
  for (const node of topological(Object.values(outputs))) {
    if (names.has(node)) continue;
    emitter.scope = node.scope;
    const bound = bindings.get(node);
    if (bound) {
      names.set(node, emitter.stored(bytesOf(bound), bound.shape, bound.dtype, constantNames.get(node)));
    } else {
      if (node.op.name === "parameter" || node.op === inputOp.row)
        throw internal(`${node.op.name} "${(node.attributes as InputAttributes).name}" has no value in this graph`);
      const from = node.inputs.map((input) => names.get(input)!);
      names.set(node, node.op.onnx(emitter, from, node));
    }
  }
  emitter.scope = "";
  const ends = Object.entries(outputs).map(([name, node]) => ({ name, dtype: node.dtype, shape: node.shape }));
  const nodes = orderForRuntime(withOutputs(emitter.nodes, outputs, names), Object.keys(outputs));
  const read = new Set([...nodes.flatMap((node) => node.inputs), ...constantNames.values()]);
  return {
    nodes,
    constants: emitter.constants.filter(({ name }) => read.has(name)),
    inputs: inputs.map((input) => ({ name: names.get(input)!, dtype: input.dtype, shape: input.shape })),
    outputs: ends,
  };
}

const message = (writer: BinaryWriter, field: number, fill: (writer: BinaryWriter) => void): void => {
  writer.tag(field, WireType.LengthDelimited).fork();
  fill(writer);
  writer.join();
};
const string = (writer: BinaryWriter, field: number, value: string): void => {
  writer.tag(field, WireType.LengthDelimited).string(value);
};
const int = (writer: BinaryWriter, field: number, value: number): void => {
  writer.tag(field, WireType.Varint).int64(value);
};

function writeAttribute(writer: BinaryWriter, name: string, value: OnnxAttribute): void {
  string(writer, 1, name);
  if (typeof value === "number") int(writer, 3, value);
  else if (typeof value === "string") string(writer, 4, value);
  else if ("float" in value) writer.tag(2, WireType.Bit32).float(value.float);
  else for (const item of value) int(writer, 8, item);
  int(writer, 20, typeof value === "number" ? 2 : typeof value === "string" ? 3 : "float" in value ? 1 : 7);
}

function writeNode(writer: BinaryWriter, node: OnnxNode): void {
  for (const name of node.inputs) string(writer, 1, name);
  for (const name of node.outputs) string(writer, 2, name);
  string(writer, 3, node.name);
  string(writer, 4, node.op);
  for (const [name, value] of Object.entries(node.attributes))
    message(writer, 5, (w) => writeAttribute(w, name, value));
  if (node.domain) string(writer, 7, node.domain);
}

function writeConstant(writer: BinaryWriter, { name, dtype, shape, bytes }: OnnxConstant): void {
  for (const side of shape) int(writer, 1, side);
  int(writer, 2, dtype === "float16" ? HALF : elementCodes[dtype]);
  string(writer, 8, name);
  writer.tag(9, WireType.LengthDelimited).bytes(bytes);
}

/** A side that is free has a name in place of a number. */
export type FreeShape = readonly (number | string)[];

function writeEnd(writer: BinaryWriter, name: string, dtype: DType, shape: FreeShape): void {
  string(writer, 1, name);
  message(writer, 2, (type) =>
    message(type, 1, (tensor) => {
      int(tensor, 1, elementCodes[dtype]);
      message(tensor, 2, (dims) => {
        for (const side of shape)
          message(dims, 1, (dim) => (typeof side === "number" ? int(dim, 1, side) : string(dim, 2, side)));
      });
    }),
  );
}

export interface ModelText {
  /** Shapes of inputs and outputs that differ from the graph's own (free sides), by name. */
  readonly shapes?: Readonly<Record<string, FreeShape>>;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly name?: string;
}

/** Encodes a lowered graph as the bytes of an ONNX file (ModelProto, IR version 8, opset 18). */
export function encode(
  graph: OnnxGraph,
  { shapes = {}, metadata = {}, name = "imago" }: ModelText = {},
): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  int(writer, 1, 8);
  string(writer, 2, "imago");
  message(writer, 7, (body) => {
    for (const node of graph.nodes) message(body, 1, (w) => writeNode(w, node));
    string(body, 2, name);
    for (const constant of graph.constants) message(body, 5, (w) => writeConstant(w, constant));
    for (const end of graph.inputs)
      message(body, 11, (w) => writeEnd(w, end.name, end.dtype, shapes[end.name] ?? end.shape));
    for (const end of graph.outputs)
      message(body, 12, (w) => writeEnd(w, end.name, end.dtype, shapes[end.name] ?? end.shape));
  });
  for (const domain of new Set(["", ...graph.nodes.map((node) => node.domain)]))
    message(writer, 8, (w) => {
      string(w, 1, domain);
      int(w, 2, domain === "" ? OPSET : 1);
    });
  for (const [key, value] of Object.entries(metadata))
    message(writer, 14, (w) => {
      string(w, 1, key);
      string(w, 2, value);
    });
  return writer.finish();
}

/** Lowers and encodes in one go. */
export const writeModel = (ends: GraphEnds, target: Target, text?: ModelText): Uint8Array =>
  encode(lower(ends, target), text);
