import { afterAll, describe, expect, test } from "vitest";
import { rematGradient } from "../../../src/engine/gradients/remat.ts";
import { placeOf } from "../../../src/engine/graph/scope.ts";
import {
  add,
  block,
  compileStep,
  evaluate,
  gradient,
  inLayer,
  input,
  matmul,
  mul,
  type Node,
  parameter,
  square,
  sum,
  tanh,
  topological,
} from "../../../src/engine/index.ts";
import { createRuntime } from "../../../src/engine/runtime/node.ts";
import { adam } from "../../../src/nn/optimizers.ts";
import { tensor } from "../../../src/tensor/tensor.ts";
import { seeded } from "../support.ts";

const weight = (name: string): Node =>
  parameter([], { name, network: "net", shape: [3, 3], initializer: { kind: "constant", value: 0 }, trainable: true });
const x = input("x", [4, 3]);
const weights = ["a", "b", "c"].map(weight);
const [a, b, c] = weights as [Node, Node, Node];

/** tanh(z · u) · v + z. */
const residual = (z: Node, u: Node, v: Node): Node => add(z, matmul(tanh(matmul(z, u)), v));

type Mark = typeof block;
const plainly: Mark = (inputs, build) => build(...inputs);

/** Networks of blocks, each a way in which they may hang together. */
const networks: Readonly<Record<string, (mark: Mark) => Node>> = {
  "a chain": (mark) => mark([mark([x], (z) => residual(z!, a, b))], (z) => residual(z!, b, c)),
  "one weight in every block": (mark) => [1, 2, 3].reduce((z) => mark([z], (y) => residual(y!, a, a)), x),
  "a block in a block": (mark) =>
    mark([x], (z) =>
      residual(
        mark([residual(z!, a, b)], (y) => residual(y!, c, b)),
        b,
        a,
      ),
    ),
  "a block by parts of the batch": (mark) =>
    mark([mark([x], (z) => residual(z!, a, b), { parts: 2 })], (z) => residual(z!, c, a), { parts: 4 }),
  "two inputs, read outside too": (mark) => {
    const [left, right] = [matmul(x, a), tanh(matmul(x, b))];
    const joint = mark([left, right], (z, y) => matmul(tanh(mul(z!, y!)), c));
    return add(joint, mul(left, joint));
  },
};

const random = seeded(3);
const drawn = (node: Node) =>
  [node, { shape: node.shape, data: Float64Array.from({ length: node.shape.reduce((p, s) => p * s, 1) }, () => random() - 0.5) }] as const; // biome-ignore format: one line
const values = new Map([x, ...weights].map(drawn));
const numbers = (nodes: readonly Node[]): number[][] => evaluate(nodes, values).map(({ data }) => [...data]);
const near = (found: readonly number[][], expected: readonly number[][]): void =>
  found.forEach((list, row) => {
    list.forEach((value, at) => {
      expect(value).toBeCloseTo(expected[row]![at]!, 12);
    });
  });

describe.each(Object.entries(networks))("blocks computed again: %s", (_, build) => {
  const [kept, again] = [sum(square(build(plainly))), sum(square(build(block)))];
  const wrt = [x, ...weights];

  test("gradients of both orders are those of the network without blocks", () => {
    const [first, other] = [gradient(kept, wrt), rematGradient(again, wrt)];
    near(numbers(other), numbers(first));
    const steep = (slopes: readonly Node[]): Node =>
      slopes.map((slope) => sum(square(slope))).reduce((p, q) => add(p, q));
    near(numbers(gradient(steep(other), wrt)), numbers(gradient(steep(first), wrt)));
    near(numbers(rematGradient(steep(other), wrt)), numbers(gradient(steep(first), wrt)));
  });

  test("the way back reads nothing that lies inside a block of the way there", () => {
    const inside = topological([again]).filter(({ op }) => op.name === "tanh");
    const back = topological(rematGradient(again, wrt), topological([again]));
    const tanhs = back.filter(({ op }) => op.name === "tanh");
    expect(tanhs.length).toBeGreaterThan(0);
    const marked = topological([again]).filter(({ op }) => op.name === "block");
    const outer = new Set(marked.flatMap((node) => topological([node.inputs[0]!], node.inputs.slice(1))));
    const hidden = inside.filter((node) => outer.has(node));
    expect(back.some((node) => node.inputs.some((from) => hidden.includes(from)))).toBe(false);
  });
});

test("what is computed again belongs to the backward pass of the layer that it repeats", () => {
  const layer = (z: Node): Node => inLayer(["net", "first", "tanh"], () => tanh(matmul(z, a)));
  const loss = sum(square(block([x], (z) => layer(z!))));
  const forward = topological([loss]);
  const again = topological(rematGradient(loss, [a]), forward).filter(({ op }) => op.name === "tanh");
  expect(again.map(({ scope }) => placeOf(scope))).toEqual([{ path: "net/first", phase: "backward" }]);
  const there = forward.filter(({ op }) => op.name === "tanh");
  expect(there.map(({ scope }) => placeOf(scope))).toEqual([{ path: "net/first", phase: "forward" }]);
});

test("without remat, blocks change nothing", () => {
  const [kept, again] = [plainly, block].map((mark) => sum(square(networks["a chain"]!(mark))));
  near(numbers(gradient(again!, weights)), numbers(gradient(kept!, weights)));
});

test("a network without blocks is refused", () => {
  expect(() => rematGradient(sum(residual(x, a, b)), [a])).toThrow(
    "remat: expected a network that marks blocks to recompute, got one without. Leave it out.",
  );
  expect(() => block([x], (z) => tanh(z!), { parts: 3 })).toThrow("block: expected a batch that 3 divides ([4, 3])");
  expect(block([x], (z) => z!)).toBe(x);
  expect(block([x], () => a)).toBe(a);
});

describe("a step that recomputes", () => {
  const runtime = createRuntime("cpu", { threads: 1 });
  afterAll(() => runtime.dispose());

  test.each(Object.keys(networks))("has the losses of one that keeps: %s", async (name) => {
    const initial = Object.fromEntries([a, b, c].map((node, at) => [`net/${"abc"[at]}`, tensor(Float32Array.from(values.get(node)!.data), [3, 3])])); // biome-ignore format: one line
    const feeds = { x: tensor(Float32Array.from(values.get(x)!.data), [4, 3]) };
    const losses = async (remat: boolean): Promise<number[]> => {
      const loss = sum(square(networks[name]!(block)));
      const plan = { turns: { net: { moves: ["net"], loss, optimizer: adam() } }, remat };
      const step = await compileStep(plan, { runtime, weights: initial });
      const found: number[] = [];
      for (let at = 1; at <= 5; at++) found.push((await step.run(feeds, { step: at, learningRate: 0.05 })).losses.net!);
      await step.dispose();
      return found;
    };
    const [kept, again] = [await losses(false), await losses(true)];
    expect(kept[4]).toBeLessThan(kept[0]! * 0.9);
    again.forEach((loss, at) => {
      expect(Math.abs(loss / kept[at]! - 1)).toBeLessThan(1e-5);
    });
  });
});
