import type { OnnxConstant } from "../onnx/emitter.ts";
import type { OnnxGraph } from "../onnx/write.ts";

/** Places of shapes (constants of Reshape, by name) that depend on the size of the input. */
export type Loose = ReadonlyMap<string, ReadonlySet<number>>;

const isSameArray = (a: Uint8Array, b: Uint8Array): boolean => {
  const isShared = a.buffer === b.buffer && a.byteOffset === b.byteOffset;
  return a.length === b.length && (isShared || a.every((value, at) => value === b[at]));
};

const wholes = ({ bytes }: OnnxConstant): BigInt64Array => new BigInt64Array(new Uint8Array(bytes).buffer);

/** Names of the constants that nothing but Reshape reads, as its shape. */
function shapesOf({ nodes }: OnnxGraph): Set<string> {
  const shapes = new Set(nodes.flatMap(({ op, inputs }) => (op === "Reshape" ? inputs.slice(1) : [])));
  for (const { op, inputs } of nodes)
    inputs.forEach((name, at) => {
      if (op !== "Reshape" || at !== 1) shapes.delete(name);
    });
  return shapes;
}

/** How the constants of two graphs differ in shapes alone; undefined when they differ in anything else. */
function looseOf(a: OnnxGraph, b: OnnxGraph): Loose | undefined {
  const shapes = shapesOf(a);
  const loose = new Map<string, Set<number>>();
  for (const [at, one] of a.constants.entries()) {
    const other = b.constants[at]!;
    if (one.name !== other.name || one.dtype !== other.dtype || `${one.shape}` !== `${other.shape}`) return undefined;
    if (isSameArray(one.bytes, other.bytes)) continue;
    if (!shapes.has(one.name)) return undefined;
    const theirs = wholes(other);
    const places = [...wholes(one).entries()].flatMap(([place, side]) => (side === theirs[place] ? [] : [place]));
    loose.set(one.name, new Set(places));
  }
  return loose;
}

/**
 * Compares graphs of one network at different sizes: the same nodes and constants, except for shapes of which one side
 * differs, which ONNX can leave to be worked out. Undefined when they are not the same.
 */
export function compareGraphs(base: OnnxGraph, others: readonly OnnxGraph[]): Loose | undefined {
  const nodes = JSON.stringify(base.nodes);
  const all = new Map<string, Set<number>>();
  for (const other of others) {
    const isSame = other.constants.length === base.constants.length && JSON.stringify(other.nodes) === nodes;
    const loose = isSame ? looseOf(base, other) : undefined;
    if (!loose) return undefined;
    for (const [name, places] of loose) all.set(name, new Set([...(all.get(name) ?? []), ...places]));
  }
  return [...all.values()].every(({ size }) => size === 1) ? all : undefined;
}

/** The graph with −1, "work it out", at the loose places. */
export function loosened(graph: OnnxGraph, loose: Loose): OnnxGraph {
  const constants = graph.constants.map((constant) => {
    const places = loose.get(constant.name);
    if (!places) return constant;
    const sides = wholes(constant).map((side, place) => (places.has(place) ? -1n : side));
    return { ...constant, bytes: new Uint8Array(sides.buffer) };
  });
  return { ...graph, constants };
}
