import { expect, test } from "vitest";
import { Emitter } from "../../../src/engine/onnx/emitter.ts";

const ramp = (length: number, last = length - 1): number[] =>
  Array.from({ length }, (_, i) => (i === length - 1 ? last : i));

test("constants of the same numbers are one, and so is what is made of them", () => {
  const emit = new Emitter("cpu");
  const [a, b] = [emit.constant(ramp(500), [500]), emit.constant(ramp(500), [500])];
  expect(emit.node("Neg", [a])).toBe(emit.node("Neg", [b]));
  expect(emit.constant(ramp(500), [5, 100])).not.toBe(a);
  expect(emit.constant(ramp(500, 7), [500])).not.toBe(a);
  expect(emit.constant(ramp(500), [500], "int64")).not.toBe(a);
  expect(emit.constants).toHaveLength(4);
  expect(emit.nodes).toHaveLength(1);
});

test("a Reshape of a Reshape reads what the first one read", () => {
  const emit = new Emitter("cpu");
  const flat = emit.node("Reshape", ["x", emit.ints([12])]);
  const square = emit.node("Reshape", [flat, emit.ints([3, 4])]);
  expect(emit.nodes.map(({ inputs }) => inputs[0])).toEqual(["x", "x"]);
  expect(emit.node("Reshape", ["x", emit.ints([3, 4])])).toBe(square);
});
