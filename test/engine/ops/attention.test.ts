import { afterAll, expect, test } from "vitest";
import {
  attention,
  compileFunction,
  evaluate,
  gradient,
  input,
  matmul,
  mul,
  type Node,
  reshape,
  softmax,
  sum,
  topological,
} from "../../../src/engine/index.ts";
import { lower } from "../../../src/engine/onnx/write.ts";
import { createRuntime } from "../../../src/engine/runtime/node.ts";
import { floats, sizeOf, tensor } from "../../../src/tensor/tensor.ts";
import { distance, seeded } from "../support.ts";

const cpu = createRuntime("cpu", { threads: 1 });
afterAll(() => cpu.dispose());

/** Two pictures, two heads: 1,536 queries and 1,500 keys are two chunks a head. */
const [heads, queries, keys] = [2, 1536, 1500];
const [q, k, v] = [input("q", [2, 12, queries]), input("k", [2, 12, keys]), input("v", [2, 8, keys])];
const inputs = [q, k, v];
const dy = input("dy", [2, 8, queries]);

/** softmax(QᵀK/√D)·V with the whole matrix. */
function plain(): Node {
  const split = (x: Node): Node => reshape(x, [x.shape[0]! * heads, x.shape[1]! / heads, x.shape[2]!]);
  const shares = softmax(mul(matmul(split(q), split(k), { transposeA: true }), 6 ** -0.5));
  return reshape(matmul(split(v), shares, { transposeB: true }), dy.shape);
}

const random = seeded(4);
const feeds = Object.fromEntries(
  [...inputs, dy].map((leaf, at) => {
    const numbers = Float32Array.from({ length: sizeOf(leaf.shape) }, () => 4 * random() - 2);
    return [["q", "k", "v", "dy"][at]!, tensor(numbers, leaf.shape)];
  }),
);

/** An attention and its gradients by queries, keys and values. */
function ends(y: Node): Record<string, Node> {
  const slopes = gradient(sum(mul(y, dy)), inputs);
  return { y, dq: slopes[0]!, dk: slopes[1]!, dv: slopes[2]! };
}
const numbersOf = async (outputs: Readonly<Record<string, Node>>): Promise<Record<string, Float32Array>> => {
  const compiled = await compileFunction(outputs, { runtime: cpu });
  const made = await compiled.run(feeds);
  await compiled.dispose();
  return Object.fromEntries(Object.entries(made).map(([name, value]) => [name, floats(value)]));
};

test("in chunks, it equals the plain form, there and back", async () => {
  const [found, expected] = [await numbersOf(ends(attention(q, k, v, { heads }))), await numbersOf(ends(plain()))];
  for (const name of ["y", "dq", "dk", "dv"]) expect(distance(found[name]!, expected[name]!), name).toBeLessThan(1e-5);
});

test("it equals the float64 reference", async () => {
  const y = attention(q, k, v, { heads });
  const wide = inputs.map((leaf, at) => [leaf, { shape: leaf.shape, data: Float64Array.from(floats(feeds["qkv"[at]!]!)) }] as const); // biome-ignore format: one line
  const [expected] = evaluate([y], new Map(wide));
  expect(distance((await numbersOf({ y })).y!, expected!.data)).toBeLessThan(1e-5);
});

test("no value of the way back is larger than a chunk, and every chunk waits for the one before", () => {
  const y = attention(q, k, v, { heads });
  const back = topological(gradient(y, inputs, dy), [y]);
  const largest = Math.max(...back.map(({ shape }) => sizeOf(shape)));
  expect(largest).toBeLessThanOrEqual(2 ** 21);
  expect(largest).toBeGreaterThan(2 ** 20);
  const matrices = back.filter(({ op }) => op.name === "softmax");
  expect(matrices.length).toBe(2 * heads * 2);
  matrices.forEach((matrix, at) => {
    const before = new Set(topological([matrix], [y]));
    expect(matrices.filter((other) => before.has(other)).length).toBe(at + 1);
  });
});

test("a small matrix is made once, there and back", () => {
  const small = ["q", "k", "v"].map((name) => input(name, [2, 8, 16])) as [Node, Node, Node];
  const y = attention(...small, { heads: 4 });
  const slopes = gradient(sum(y), small);
  const outputs = { y, dq: slopes[0]!, dk: slopes[1]!, dv: slopes[2]! };
  for (const target of ["cpu", "file", "webgpu", "wasm"] as const) {
    const made = lower({ inputs: small, outputs }, target).nodes.map(({ op }) => op);
    expect(made.filter((op) => op === "Softmax")).toEqual(["Softmax"]);
  }
});

test("large ones are ONNX Runtime's own kernel on the CPU, and standard ops in a file", () => {
  const y = attention(q, k, v, { heads });
  expect(lower({ inputs, outputs: { y } }, "cpu").nodes.map(({ op }) => op)).toEqual([
    ...["Transpose", "Transpose", "Transpose"],
    ...["MultiHeadAttention", "Transpose"],
  ]);
  const { nodes } = lower({ inputs: [...inputs, dy], outputs: ends(y) }, "file");
  expect(new Set(nodes.map(({ domain }) => domain))).toEqual(new Set([""]));
});
