import { toHalf } from "../../tensor/half.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { elementCodes } from "../graph/emit.ts";
import type { OnnxConstant, OnnxNode } from "./emitter.ts";
import type { OnnxGraph } from "./write.ts";

const LEAST = 256; // numbers: of fewer, the node costs what is saved
const LARGEST = 65504; // of float16

const numbersOf = ({ bytes }: OnnxConstant): Float32Array => new Float32Array(new Uint8Array(bytes).buffer);

/**
 * Is it a matrix or kernel of a size that counts, without numbers that float16 has not? Biases and statistics stay as
 * they are.
 */
const isHalved = (constant: OnnxConstant): boolean =>
  constant.dtype === "float32" &&
  constant.shape.length > 1 &&
  sizeOf(constant.shape) >= LEAST &&
  numbersOf(constant).every((value) => Math.abs(value) <= LARGEST);

const halvedConstant = (constant: OnnxConstant): OnnxConstant => ({
  ...constant,
  dtype: "float16",
  bytes: new Uint8Array(Uint16Array.from(numbersOf(constant), toHalf).buffer),
});

/**
 * The graph with its matrices and kernels stored as float16, each rounded to the nearest, and cast to float32 before it
 * is first read: half the size, and the same operators. A runtime casts them once, when it loads the file.
 * @param weights names of the constants that are weights
 */
export function halved(graph: OnnxGraph, weights: ReadonlySet<string>): OnnxGraph {
  const chosen = new Set(
    graph.constants.filter((one) => weights.has(one.name) && isHalved(one)).map(({ name }) => name),
  );
  const wide = (name: string): string => (chosen.has(name) ? `${name} as float32` : name);
  const isCast = new Set<string>();
  const castOf = (name: string): OnnxNode[] => {
    if (!chosen.has(name) || isCast.has(name)) return [];
    isCast.add(name);
    const attributes = { to: elementCodes.float32 };
    return [{ op: "Cast", domain: "", name: wide(name), inputs: [name], outputs: [wide(name)], attributes }];
  };
  return {
    ...graph,
    nodes: graph.nodes.flatMap((node) => [...node.inputs.flatMap(castOf), { ...node, inputs: node.inputs.map(wide) }]),
    constants: graph.constants.map((constant) => (chosen.has(constant.name) ? halvedConstant(constant) : constant)),
  };
}
