import { expect, test } from "vitest";
import {
  add,
  evaluate,
  exp,
  input,
  matmul,
  mul,
  type Node,
  sum,
  tanh,
  valueAndGradient,
  valueAndGradients,
} from "../../../src/engine/index.ts";
import { centralDifferences, distance, seeded } from "../support.ts";

const random = seeded(2);
const [a, b] = [input("a", [3, 4]), input("b", [4, 2])];
const values = new Map(
  [a, b].map(
    (leaf) =>
      [
        leaf,
        { shape: leaf.shape, data: Float64Array.from({ length: leaf.shape[0]! * leaf.shape[1]! }, random) },
      ] as const,
  ),
);
const energy = (x: Node, y: Node): Node => sum(mul(tanh(matmul(x, y)), exp(matmul(x, y))));

test("one node: the value, and the slope that central differences see", () => {
  const { value, gradient } = valueAndGradient((x) => energy(x, b), a);
  const [direct, slope] = evaluate([value, gradient], values);
  expect(direct!.data).toEqual(evaluate([energy(a, b)], values)[0]!.data);
  expect(slope!.shape).toEqual([3, 4]);
  expect(distance(slope!.data, centralDifferences(value, [a], values)[0]!.data)).toBeLessThan(1e-7);
});

test("several nodes: a gradient for each, in their order", () => {
  const { value, gradients } = valueAndGradients((x, y) => energy(x!, y!), [a, b]);
  const numeric = centralDifferences(value, [a, b], values);
  const found = evaluate(gradients, values);
  expect(found.map(({ shape }) => shape)).toEqual([[3, 4], [4, 2]]); // biome-ignore format: one line
  found.forEach(({ data }, at) => {
    expect(distance(data, numeric[at]!.data)).toBeLessThan(1e-7);
  });
});

test("a node in the middle of a graph, and one that does not matter", () => {
  const middle = add(a, 1);
  const { gradients } = valueAndGradients((x) => sum(mul(x!, x!)), [middle, b]);
  const [slope, none] = evaluate(gradients, values);
  expect(distance(slope!.data, values.get(a)!.data.map((value) => 2 * (value + 1)))).toBeLessThan(1e-12); // biome-ignore format: one line
  expect(none!.data).toEqual(new Float64Array(8));
});

test("a function of more than one number is refused", () => {
  expect(() => valueAndGradient((x) => tanh(x), a)).toThrow(
    "gradient: expected a scalar to differentiate, got [3, 4].",
  );
});
