import { expect, test } from "vitest";
import {
  add,
  concat,
  evaluate,
  gather,
  gradient,
  input,
  mul,
  type Node,
  slice,
  square,
  stopGradient,
  substitute,
  sum,
  topological,
} from "../../../src/engine/index.ts";

const x = input("x", [3]);
const values = new Map([[x, { shape: [3], data: Float64Array.from([1, -2, 4]) }]]);
const numbers = (node: Node, known = values): number[] => [...evaluate([node], known)[0]!.data];

test("a node used twice gets the sum of both gradients", () => {
  const y = square(x);
  const [slope] = gradient(sum(add(mul(y, x), y)), [x]); // x³ + x²
  expect(numbers(slope!)).toEqual([5, 8, 56]);
});

test("gradients differentiate again: third derivative of x⁴", () => {
  let y: Node = sum(square(square(x)));
  for (let order = 0; order < 3; order++) y = sum(gradient(y, [x])[0]!);
  expect(numbers(y)).toEqual([24 * (1 - 2 + 4)]);
});

test("inner nodes, the value itself, and what is not reached", () => {
  const y = square(x);
  const loss = sum(y);
  expect(gradient(loss, [y, loss, input("z", [2])]).map((node) => numbers(node))).toEqual([[1, 1, 1], [1], [0, 0]]);
});

test("nothing flows through stopGradient, nor into whole numbers", () => {
  expect(numbers(gradient(sum(mul(x, stopGradient(square(x)))), [x])[0]!)).toEqual([1, 4, 16]);
  const index = input("index", [2], { dtype: "int64" });
  const known = new Map([...values, [index, { shape: [2], data: Float64Array.from([2, 2]) }] as const]);
  const [slope, none] = gradient(sum(square(gather(x, index))), [x, index]);
  expect(numbers(slope!, known)).toEqual([0, 0, 16]);
  expect(numbers(none!, known)).toEqual([0, 0]);
});

test("an upstream gradient weighs the elements of what is no scalar", () => {
  const upstream = input("dy", [3]);
  const known = new Map([...values, [upstream, { shape: [3], data: Float64Array.from([1, 10, 100]) }] as const]);
  expect(numbers(gradient(square(x), [x], upstream)[0]!, known)).toEqual([2, -40, 800]);
});

test("what is no scalar is refused", () => {
  expect(() => gradient(square(x), [x])).toThrow(
    "gradient: expected a scalar to differentiate, got [3]. Take its mean or sum, or give the upstream gradient.",
  );
});

test("gradients end in ′ on the path of their layer, once", () => {
  const first = gradient(sum(square(x)), [x])[0]!;
  const second = gradient(sum(first), [x])[0]!;
  const marks = topological([second]).map(({ scope }) => scope.split("′").length - 1);
  expect(Math.max(...marks)).toBe(1);
});

test("a chain of 20,000 nodes is differentiated without recursion", () => {
  let y: Node = x;
  for (let count = 0; count < 20_000; count++) y = add(y, x);
  expect(numbers(gradient(sum(y), [x])[0]!)).toEqual([20_001, 20_001, 20_001]);
});

test("substitute rebuilds what depends on the replaced node and shares the rest", () => {
  const z = input("z", [3]);
  const kept = square(z);
  const y = concat([square(x), kept], 0);
  const [made, same] = substitute([y, kept], new Map([[x, slice(y, [1], [4])]]));
  expect(same).toBe(kept);
  expect(made!.inputs[1]).toBe(kept);
  expect(made).not.toBe(y);
  expect(made!.shape).toEqual([6]);
});
