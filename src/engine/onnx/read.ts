import { UserError, userError } from "../../errors.ts";
import type { DType, Tensor } from "../../tensor/tensor.ts";
import { asFloat, asInt, budget, Message } from "./message.ts";
import { dtypeOf, readTensor } from "./readTensor.ts";

/** What an attribute of a node may hold. A subgraph or anything else that we run nothing of is `null`. */
export type FileAttribute = number | string | readonly number[] | readonly string[] | Tensor | null;

export interface FileNode {
  readonly op: string;
  readonly domain: string;
  readonly name: string;
  /** "" where an optional input is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, FileAttribute>;
}

/** An input or output of the graph; null for a side that is free. `shape` is absent when the file does not tell. */
export interface FileEnd {
  readonly name: string;
  readonly dtype: DType | undefined;
  readonly shape: readonly (number | null)[] | undefined;
}

/** A model file, read but not judged. */
export interface FileModel {
  readonly name: string;
  readonly opset: number;
  readonly nodes: readonly FileNode[];
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly inputs: readonly FileEnd[];
  readonly outputs: readonly FileEnd[];
  readonly metadata: Readonly<Record<string, string>>;
}

const LIST = 2 ** 20; // the most numbers of an attribute that is a list

/** How each kind of attribute is read, by the numbers of AttributeProto.AttributeType, and the field that holds it. */
const ATTRIBUTES: Readonly<
  Record<number, readonly [field: number, read: (m: Message, where: string) => FileAttribute]>
> = {
  1: [2, (m) => m.number(2, asFloat)],
  2: [3, (m) => m.number(3, asInt)],
  3: [4, (m) => m.text(4)],
  4: [5, (m, where) => (m.has(5) ? readTensor(m.message(5)!, where).tensor : null)],
  6: [7, (m) => m.numbers(7, asFloat, LIST)],
  7: [8, (m) => m.numbers(8, asInt, LIST)],
  8: [9, (m) => m.texts(9)],
};

/** The name of an attribute and what it holds. Files of the first IR version do not say the kind. */
function readAttribute(message: Message, where: string): [string, FileAttribute] {
  const told = message.number(20, asInt);
  const kind = told || Object.entries(ATTRIBUTES).find(([, [field]]) => message.has(field))?.[0];
  return [message.text(1), ATTRIBUTES[Number(kind)]?.[1](message, where) ?? null];
}

function readNode(message: Message, where: string): FileNode {
  const [inputs, outputs, op] = [message.texts(1), message.texts(2), message.text(4)];
  return {
    op,
    domain: message.text(7),
    name: message.text(3) || outputs[0] || op,
    inputs,
    outputs,
    attributes: new Map(message.messages(5).map((one) => readAttribute(one, where))),
  };
}

function readSide(message: Message): number | null {
  const side = message.number(1, asInt);
  return side > 0 ? side : null;
}

function readEnd(message: Message): FileEnd {
  const type = message.message(2)?.message(1);
  return {
    name: message.text(1),
    dtype: type && dtypeOf(type.number(1, asInt)),
    shape: type?.message(2)?.messages(1).map(readSide),
  };
}

function readGraph(message: Message, where: string): Omit<FileModel, "opset" | "metadata"> {
  if (message.has(15)) throw userError(where, "expected dense weights, got a sparse tensor");
  const tensors = message.messages(5).map((one) => readTensor(one, where));
  return {
    name: message.text(2),
    nodes: message.messages(1).map((one) => readNode(one, where)),
    constants: new Map(tensors.map(({ name, tensor }) => [name, tensor])),
    inputs: message.messages(11).map(readEnd),
    outputs: message.messages(12).map(readEnd),
  };
}

/** The metadata_props of a ModelProto. */
const textsIn = (message: Message): FileModel["metadata"] =>
  Object.fromEntries(message.messages(14).map((pair) => [pair.text(1), pair.text(2)]));

function readWhole(message: Message, where: string): FileModel {
  const graph = message.message(7);
  if (!graph || !(graph.has(1) || graph.has(12)))
    throw userError(where, "expected an ONNX model, got a file without a graph");
  const standard = message.messages(8).findLast((opset) => isStandard(opset.text(1)));
  return {
    ...readGraph(graph, where),
    opset: standard?.number(2, asInt) ?? 1,
    metadata: textsIn(message),
  };
}

/** Is it the domain of the standard operators? */
export const isStandard = (domain: string): boolean => domain === "" || domain === "ai.onnx";

/**
 * Reads the bytes of an ONNX file (ModelProto, https://onnx.ai/onnx/repo-docs/IR.html). Subgraphs are not looked into,
 * so that nothing is nested deeply; every size is checked against the bytes that are there.
 * @param where the name of the file, for errors
 */
export const readModel = (bytes: Uint8Array, where: string): FileModel => readBy(readWhole, bytes, where);

/**
 * The texts that an ONNX file says of itself (metadata_props), without reading its graph.
 * @param where the name of the file, for errors     @throws UserError for bytes that are no ONNX file
 */
export const onnxMetadata = (bytes: Uint8Array, where: string): FileModel["metadata"] => readBy(textsIn, bytes, where);

function readBy<T>(read: (message: Message, where: string) => T, bytes: Uint8Array, where: string): T {
  try {
    return read(new Message(bytes, budget()), where);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw userError(
      where,
      `expected an ONNX model, got ${bytes.length} bytes that are none, or only a part of one (${(error as Error).message})`,
    );
  }
}
