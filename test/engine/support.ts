import { gradient } from "../../src/engine/gradients/gradient.ts";
import type { Target } from "../../src/engine/graph/emit.ts";
import type { Example, ExampleInput, NDArray, Node, Op } from "../../src/engine/graph/node.ts";
import { writeModel } from "../../src/engine/onnx/write.ts";
import { add, constant, input, mul, sum } from "../../src/engine/ops/index.ts";
import { evaluate } from "../../src/engine/runtime/evaluate.ts";
import { type DType, type Shape, sizeOf } from "../../src/tensor/tensor.ts";

/** Seeded numbers in 0…1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The numbers of an example's input, at least 0.2 from the points it avoids. */
function fill(
  { shape, range: [low, high] = [-2, 2], avoid = [], values }: ExampleInput,
  random: () => number,
): NDArray {
  const size = sizeOf(shape);
  if (values) return { shape, data: Float64Array.from({ length: size }, (_, at) => values[at % values.length]!) };
  const draw = (): number => {
    const value = Math.fround(low + (high - low) * random());
    return avoid.some((point) => Math.abs(value - point) < 0.2) ? draw() : value;
  };
  return { shape, data: Float64Array.from({ length: size }, draw) };
}

const isFloat = (node: Node): boolean => node.dtype === "float32";

/** Σ of the elements weighted with seeded numbers: a scalar that every element moves. */
const project = (nodes: readonly Node[], random: () => number): Node =>
  nodes
    .map((node) => {
      const weights = Array.from({ length: sizeOf(node.shape) }, () => Math.fround(2 * random() - 1));
      return sum(mul(node, constant(weights, node.shape)));
    })
    .reduce((a, b) => add(a, b));

/** An example of a row as graphs: its output, the gradients of a projection of it, and the gradients of a projection of those. */
export interface Case {
  readonly op: Op;
  readonly title: string;
  readonly leaves: readonly Node[];
  readonly values: ReadonlyMap<Node, NDArray>;
  readonly output: Node;
  /** What is differentiated, with respect to what, and the answer: first order, then second. Empty without a gradient. */
  readonly orders: readonly Order[];
}

export interface Order {
  readonly of: Node;
  readonly wrt: readonly Node[];
  readonly gradients: readonly Node[];
}

/** Builds the graphs of one example. `prefix` starts the names of its inputs. */
export function caseOf(op: Op, example: Example<unknown>, prefix: string): Case {
  const random = seeded(7);
  const specs = example.inputs.map((spec): ExampleInput => ("shape" in spec ? spec : { shape: spec }));
  const leaves = specs.map(({ shape, dtype }, index) => input(`${prefix}x${index}`, shape, { dtype }));
  const output = nodeOf(op, leaves, example.attributes);
  const values = new Map(leaves.map((leaf, index) => [leaf, fill(specs[index]!, random)]));
  const title = `${op.name} ${leaves.map(({ shape }) => `[${shape}]`).join(" ")} ${JSON.stringify(example.attributes)}`;
  const floats = leaves.filter(isFloat);
  if (!op.gradient || floats.length === 0) return { op, title, leaves, values, output, orders: [] };
  const dy = input(`${prefix}dy`, output.shape);
  values.set(dy, fill({ shape: output.shape }, random));
  const of = sum(mul(output, dy));
  const first = gradient(of, floats);
  const projection = project(first, random);
  const wrt = [...floats, dy];
  const second = gradient(projection, wrt);
  const orders = [
    { of, wrt: floats, gradients: first },
    { of: projection, wrt, gradients: second },
  ];
  return { op, title, leaves: [...leaves, dy], values, output, orders };
}

const nodeOf = (op: Op, inputs: readonly Node[], attributes: unknown): Node => ({
  op,
  inputs,
  attributes,
  shape: op.shape(inputs, attributes),
  dtype: op.dtype?.(inputs, attributes) ?? "float32",
  scope: "",
});

/** Gradients by central differences: every element of `wrt` moved up and down by `step`. */
export function centralDifferences(of: Node, wrt: readonly Node[], values: ReadonlyMap<Node, NDArray>, step = 1e-5) {
  return wrt.map((leaf): NDArray => {
    const { shape, data } = values.get(leaf)!;
    const at = (place: number, by: number): number => {
      const moved = data.slice();
      moved[place]! += by;
      return evaluate([of], new Map(values).set(leaf, { shape, data: moved }))[0]!.data[0]!;
    };
    return { shape, data: data.map((_, place) => (at(place, step) - at(place, -step)) / (2 * step)) };
  });
}

/** Largest difference, relative to the largest magnitude of what was expected (at least 1). */
export function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [worst, scale] = [0, 1];
  for (let at = 0; at < expected.length; at++) {
    const difference = Math.abs(actual[at]! - expected[at]!);
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
    scale = Math.max(scale, Math.abs(expected[at]!));
  }
  return worst / scale;
}

/** What onnxruntime-node and onnxruntime-web have in common. */
export interface Ort {
  readonly Tensor: new (type: DType, data: Float32Array | BigInt64Array | Uint8Array, dims: Shape) => OrtTensor;
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> };
}
interface OrtTensor {
  readonly data: unknown;
  readonly dims: Shape;
}
interface OrtSession {
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

const stored = ({ data }: NDArray, dtype: DType): Float32Array | BigInt64Array | Uint8Array => {
  if (dtype === "int64") return BigInt64Array.from(Array.from(data, BigInt));
  return dtype === "bool" ? Uint8Array.from(data) : Float32Array.from(data);
};

/** A difference between ONNX Runtime and the reference. */
export interface Deviation {
  readonly what: string;
  readonly distance: number;
}

const named = (cases: readonly Case[]): { name: string; what: string; node: Node }[] =>
  cases.flatMap(({ title, output, orders }, index) => [
    { name: `${index}y`, what: `${title}: output`, node: output },
    ...orders.flatMap(({ gradients, wrt }, order) =>
      gradients.map((node, k) => ({
        name: `${index}d${order}_${k}`,
        what: `${title}: ${["first", "second"][order]} gradient by ${(wrt[k]!.attributes as { name: string }).name}`,
        node,
      })),
    ),
  ]);

/** Runs the outputs and both orders of gradients of some examples as one model, and compares with the reference. */
export async function deviations(
  ort: Ort,
  cases: readonly Case[],
  target: Target,
  options: object,
): Promise<Deviation[]> {
  const ends = named(cases);
  const values = new Map(cases.flatMap((one) => [...one.values]));
  const inputs = [...values.keys()];
  const outputs = Object.fromEntries(ends.map(({ name, node }) => [name, node]));
  const session = await ort.InferenceSession.create(writeModel({ inputs, outputs }, target), options);
  const feeds = inputs.map((leaf) => {
    const { name } = leaf.attributes as { name: string };
    return [name, new ort.Tensor(leaf.dtype, stored(values.get(leaf)!, leaf.dtype), leaf.shape)];
  });
  const results = await session.run(Object.fromEntries(feeds));
  const expected = evaluate(
    ends.map(({ node }) => node),
    values,
  );
  const found = ends.map(({ name, what, node }, k) => {
    const { data, dims } = results[name]!;
    const isShaped = `${dims}` === `${node.shape}`;
    const numbers = Float64Array.from(data as ArrayLike<number | bigint>, Number);
    return { what, distance: isShaped ? distance(numbers, expected[k]!.data) : Number.POSITIVE_INFINITY };
  });
  await session.release();
  return found;
}
