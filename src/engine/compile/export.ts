import { userError } from "../../errors.ts";
import type { Shape, Tensor } from "../../tensor/tensor.ts";
import { substitute } from "../gradients/gradient.ts";
import type { InputAttributes, ParameterAttributes } from "../graph/leaf.ts";
import type { Node } from "../graph/node.ts";
import { halved } from "../onnx/halfWeights.ts";
import { encode, type FreeShape, lower, type OnnxGraph } from "../onnx/write.ts";
import { isSameShape } from "../ops/axes.ts";
import { parameter } from "../ops/leaf.ts";
import type { Tensors } from "../runtime/runtime.ts";
import { compareGraphs, type Loose, loosened } from "./freeSides.ts";
import { inputsOf, keyOf, type Parameter, parametersOf } from "./parameters.ts";

/** A side of the input that a model file may leave open: samples, height, width. */
export type FreeSide = "N" | "H" | "W";

export interface ExportOptions {
  /** A shape that the network takes; sides that turn out not to be free are fixed at it. [N, C, H, W], or [N, …]. */
  readonly example: Shape;
  /** The sides to leave open where the network allows it; all when absent. */
  readonly freeSides?: readonly FreeSide[];
  /** Store matrices and kernels as float16: half the size, rounded to the nearest. Other numbers stay float32. */
  readonly half?: boolean;
  /** The model card: kept in the file as metadata_props. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Name of the graph in the file. */
  readonly name?: string;
}

export interface Exported {
  readonly bytes: Uint8Array;
  /** Sides of the input that may be any number. */
  readonly free: readonly FreeSide[];
  /** Free heights and widths are the example's plus or minus multiples of this many pixels; 1 for most networks. */
  readonly multiple: number;
}

type Build = (shape: Shape) => Node;

const AXES: Readonly<Record<FreeSide, number>> = { N: 0, H: 2, W: 3 };
const MULTIPLES = [1, 2, 4, 8, 16, 32, 64];

/** A network lowered at one shape of its input. */
interface Trial {
  readonly shape: Shape;
  readonly graph: OnnxGraph;
  /** Names of the constants that are weights. */
  readonly stored: ReadonlySet<string>;
}

/** A set of sides that proved to be free, and the trials that show it. */
interface Freedom {
  readonly sides: readonly FreeSide[];
  readonly multiple: number;
  readonly trials: readonly Trial[];
  readonly loose: Loose;
}

/**
 * Are parameters to be called by network and name? Their names alone are for one network, and not those of other
 * values.
 */
const isAmbiguous = (parameters: readonly Parameter[], fed: readonly string[]): boolean =>
  new Set(parameters.map(({ attributes }) => attributes.network)).size > 1 ||
  parameters.some(({ attributes: { name } }) => /^(v\d+|output)$/.test(name) || fed.includes(name));

/** The network with its parameters called as the file will call them, and their values. */
function bound(output: Node, weights: Tensors): { output: Node; bindings: Map<Node, Tensor> } {
  const parameters = parametersOf([output]);
  const fed = inputsOf([output]).map(({ attributes }) => attributes.name);
  const isLong = isAmbiguous(parameters, fed);
  const leaves = new Map<Node, Node>();
  const bindings = new Map<Node, Tensor>();
  for (const one of parameters) {
    const value = weights[keyOf(one)];
    if (!value) throw userError(keyOf(one), "expected a value of this weight for the model file, got none");
    if (!isSameShape(value.shape, one.shape))
      throw userError(keyOf(one), `expected a weight of [${one.shape.join(", ")}], got [${value.shape.join(", ")}]`);
    const leaf = isLong ? parameter([], { ...one.attributes, name: keyOf(one) }) : one;
    if (isLong) leaves.set(one, leaf);
    bindings.set(leaf, value);
  }
  return { output: substitute([output], leaves)[0]!, bindings };
}

/** Lowers the network to the standard ops of a file. "input" comes first among its inputs. */
function tryShape(build: Build, weights: Tensors, shape: Shape): Trial {
  const { output, bindings } = bound(build(shape), weights);
  const isFirst = (node: Node): boolean => (node.attributes as InputAttributes).name === "input";
  const inputs = inputsOf([output]).sort((a, b) => Number(isFirst(b)) - Number(isFirst(a)));
  const stored = new Set([...bindings.keys()].map((node) => (node.attributes as ParameterAttributes).name));
  return { shape, graph: lower({ inputs, outputs: { output }, bindings }, "file"), stored };
}

/** The example with the sides made larger: samples by `steps[0]`, height and width by multiples. */
function enlarged(example: Shape, sides: readonly FreeSide[], multiple: number, steps: Steps): Shape {
  return example.map((side, axis) => {
    const at = sides.findIndex((name) => AXES[name] === axis);
    if (at < 0) return side;
    return side + (axis === 0 ? steps[0]! : multiple * steps[axis - 1]!);
  });
}

const FAR = 64; // pixels: no network here shrinks by more

type Steps = readonly [samples: number, height: number, width: number];

/**
 * Different steps for each side, so that no two sides can be taken for each other. The last ones go far: a side that is
 * halved again and again, rounding down, stays the same over a few pixels.
 */
const stepsOf = (multiple: number): readonly Steps[] => [
  [1, 1, 2],
  [2, 3, 1],
  [4, 2, 5],
  [3, Math.ceil(FAR / multiple) + 3, Math.ceil((2 * FAR) / multiple) + 3],
];

/** Builds at other sizes: the sides are free when the graph does not change. */
function prove(build: Build, weights: Tensors, base: Trial, sides: readonly FreeSide[]): Freedom | undefined {
  const hasPixels = sides.some((side) => side !== "N");
  for (const multiple of hasPixels ? MULTIPLES : [1]) {
    const trials: Trial[] = [];
    const steps = stepsOf(multiple);
    for (const step of steps) {
      const trial = attempt(() => tryShape(build, weights, enlarged(base.shape, sides, multiple, step)));
      if (!trial || !compareGraphs(base.graph, [trial.graph])) break;
      trials.push(trial);
    }
    if (trials.length < steps.length) continue;
    const loose = compareGraphs(
      base.graph,
      trials.map(({ graph }) => graph),
    );
    if (loose) return { sides, multiple, trials, loose };
  }
  return undefined;
}

/** A network may well refuse a size: it is then no size for it. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

/** The most of the wanted sides that are free together: all of them, or as many as agree one after the other. */
function findFreedom(build: Build, weights: Tensors, base: Trial, wanted: readonly FreeSide[]): Freedom {
  const none: Freedom = { sides: [], multiple: 1, trials: [], loose: new Map() };
  if (wanted.length === 0) return none;
  const all = prove(build, weights, base, wanted);
  if (all || wanted.length === 1) return all ?? none;
  return wanted.reduce((found, side) => prove(build, weights, base, [...found.sides, side]) ?? found, none);
}

const isRatio = (sides: readonly (readonly [from: number, to: number])[], ratio: number): boolean =>
  sides.every(([from, to]) => to === from * ratio);

/** What a side of an end is called in the file: "N", "H", "W*2", or "height of output" where it is no such multiple. */
function nameOfSide(end: string, axis: number, base: number, others: readonly number[], tried: Sides): number | string {
  if (others.every((side) => side === base)) return base;
  for (const [name, inputs] of tried) {
    const pairs = inputs.map((from, at): [number, number] => [from, [base, ...others][at]!]);
    const ratio = base / inputs[0]!;
    if (isRatio(pairs, ratio)) return ratio === 1 ? name : ratio > 1 ? `${name}*${ratio}` : `${name}/${1 / ratio}`;
  }
  return `${["samples", "channels", "height", "width"][axis] ?? `side ${axis}`} of ${end}`;
}

type Sides = readonly (readonly [name: FreeSide, sizes: readonly number[]])[];

/** The shapes of the ends, free sides by name. */
function freeShapes(base: Trial, { sides, trials }: Freedom): Record<string, FreeShape> {
  const all = [base, ...trials];
  const tried: Sides = sides.map((name) => [name, all.map(({ shape }) => shape[AXES[name]]!)]);
  const kinds = ["inputs", "outputs"] as const;
  return Object.fromEntries(
    kinds.flatMap((kind) =>
      base.graph[kind].map(({ name, shape }, at) => [
        name,
        shape.map((side, axis) => {
          const others = trials.map(({ graph }) => graph[kind][at]!.shape[axis]!);
          return nameOfSide(name, axis, side, others, tried);
        }),
      ]),
    ),
  );
}

/**
 * Writes a network for other programs: an ONNX file of standard ops (opset 18) with the weights inside, input "input"
 * and output "output". Graphs have fixed sizes here; a side is written as free when graphs built at other sizes are the
 * same.
 * @param build the network as a graph over an input of the given shape; its input leaf is called "input"
 * @param weights values of the parameters, keyed "network/parameter"; the file keeps the parameters' own names
 */
export function exportOnnx(build: Build, weights: Tensors, options: ExportOptions): Exported {
  const { example, freeSides = ["N", "H", "W"], half = false, metadata, name } = options;
  const wanted = freeSides.filter((side) => side === "N" || example.length === 4);
  const base = tryShape(build, weights, example);
  const freedom = findFreedom(build, weights, base, wanted);
  const shapes = freeShapes(base, freedom);
  const graph = loosened(base.graph, freedom.loose);
  return {
    bytes: encode(half ? halved(graph, base.stored) : graph, { shapes, metadata, name }),
    free: freedom.sides,
    multiple: freedom.multiple,
  };
}
