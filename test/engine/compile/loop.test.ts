import { afterAll, describe, expect, test } from "vitest";
import type { NDArray } from "../../../src/engine/graph/node.ts";
import {
  add,
  compileFunction,
  compileLoop,
  evaluate,
  input,
  keyOf,
  mul,
  type Node,
  neg,
  parametersOf,
} from "../../../src/engine/index.ts";
import { createRuntime } from "../../../src/engine/runtime/node.ts";
import { referenceRuntime } from "../../../src/engine/runtime/reference.ts";
import { random } from "../../../src/tensor/random.ts";
import { floats, indices, type Tensor, tensor } from "../../../src/tensor/tensor.ts";
import { watchedRuntime } from "../traffic.ts";
import { euler } from "./euler.ts";

const cpu = createRuntime("cpu", { threads: 1 });
afterAll(() => cpu.dispose());

const wide = ({ shape, data }: Tensor): NDArray => ({ shape, data: Float64Array.from(data as Float32Array) });

/** Euler's step lengths grow, so that a run that missed its feed is seen. */
const steps = Array.from({ length: 100 }, (_, at) => tensor([0.01 + at / 5000], []));

describe("100 Euler steps of two 3×3 convolutions", () => {
  test("equal 100 runs of the plain function on cpu, bit for bit", async () => {
    const { x, next, size, weights, start } = euler([1, 8, 32, 32]);
    const loop = await compileLoop(
      { x: { leaf: x, next } },
      { runtime: cpu, weights, shown: { size }, start: { x: start } },
    );
    const plain = await compileFunction({ next, size }, { runtime: cpu, weights });
    let state: Tensor = start;
    for (const h of steps) {
      const made = await plain.run({ x: state, h });
      const { size: shown } = await loop.run({ h });
      state = made.next!;
      expect(shown!.data).toEqual(made.size!.data);
    }
    expect((await loop.read()).x).toEqual(state);
    expect(state.data).not.toEqual(start.data);
    await Promise.all([loop.dispose(), plain.dispose()]);
  });

  test("equal 100 evaluations on the reference, whose state stays in float64", async () => {
    const { x, h, next, weights, start } = euler([1, 2, 6, 6]);
    const held = new Map(parametersOf([next]).map((leaf) => [leaf, wide(weights[keyOf(leaf)]!)] as const));
    const runtime = referenceRuntime();
    const loop = await compileLoop({ x: { leaf: x, next } }, { runtime, weights, start: { x: start } });
    let state = wide(start);
    for (const length of steps) {
      state = evaluate([next], new Map<Node, NDArray>(held).set(x, state).set(h, wide(length)))[0]!;
      await loop.run({ h: length }, []);
    }
    const { data } = (await loop.read(["x"])).x!;
    expect(data).toEqual(Float32Array.from(state.data));
  });
});

test("nothing crosses but what is fed, fetched and read", async () => {
  const { x, next, size, weights, start } = euler([1, 4, 8, 8]);
  const { runtime, crossings } = watchedRuntime("cpu");
  const loop = await compileLoop({ x: { leaf: x, next } }, { runtime, weights, shown: { size }, start: { x: start } });
  crossings.length = 0;
  await loop.run({ h: steps[0]! });
  await loop.run({ h: steps[1]! }, []);
  await loop.read();
  expect(crossings).toEqual([
    { verb: "run", there: 4, back: 4 },
    { verb: "run", there: 4, back: 0 },
    { verb: "read", there: 0, back: 4 * 4 * 8 * 8 },
  ]);
  await loop.dispose();
});

describe.each(["reference", "cpu"] as const)("compileLoop on %s", (name) => {
  const runtime = createRuntime(name, { threads: 1 });
  afterAll(() => runtime.dispose());
  const [a, b] = [input("a", [2]), input("b", [2])];
  const count = input("count", [], { dtype: "int64" });
  const carry = {
    a: { leaf: a, next: b },
    b: { leaf: b, next: neg(a) },
    count: { leaf: count, next: count },
  };
  const start = () => ({ a: tensor([1, 2], [2]), b: tensor([3, 4], [2]), count: indices([7], []) });
  const numbers = (made: Record<string, Tensor>) =>
    Object.fromEntries(Object.entries(made).map(([key, { data }]) => [key, Array.from(data, Number)]));

  test("carried values may change places, or stay; first values are copied", async () => {
    const first = start();
    const loop = await compileLoop(carry, { runtime, shown: { sum: add(a, b) }, start: first });
    expect(numbers(first)).toEqual(numbers(start()));
    expect(numbers(await loop.run())).toEqual({ sum: [4, 6] });
    expect(await loop.run({}, [])).toEqual({});
    expect(numbers(await loop.read())).toEqual({ a: [-1, -2], b: [-3, -4], count: [7] });
    expect(numbers(await loop.read(["b"]))).toEqual({ b: [-3, -4] });
    await loop.write({ b: tensor([5, 5], [2]) });
    await loop.run();
    expect(numbers(await loop.read())).toEqual({ a: [5, 5], b: [1, 2], count: [7] });
    await loop.dispose();
  });

  test("runs that are not waited for are carried out one after the other", async () => {
    const loop = await compileLoop({ a: { leaf: a, next: add(a, a) } }, { runtime, start: { a: tensor([1, 3], [2]) } });
    await Promise.all(Array.from({ length: 10 }, () => loop.run()));
    expect(numbers(await loop.read())).toEqual({ a: [1024, 3072] });
    await loop.dispose();
  });

  test("noise depends on seed and number of the run alone", async () => {
    const noise = input("noise", [2], { noise: "normal" });
    const ends = { a: { leaf: a, next: add(mul(a, 0), noise) } };
    const loop = await compileLoop(ends, { runtime, start: { a: start().a }, seed: 5 });
    const expected = (seed: number, run: number): number[] => {
      const { normal } = random(seed, "noise", "noise", run);
      return [normal(), normal()].map(Math.fround);
    };
    for (const run of [1, 2, 3]) {
      await loop.run();
      expect(numbers(await loop.read()).a).toEqual(expected(5, run));
    }
    await loop.write({ a: start().a }, { seed: 6 });
    await Promise.all([loop.run(), loop.run()]);
    expect(numbers(await loop.read()).a).toEqual(expected(6, 2));
    await loop.dispose();
  });

  test("what does not fit is named", async () => {
    const { a: _, ...rest } = start();
    await expect(compileLoop(carry, { runtime, start: rest })).rejects.toThrow(
      "loop: a: expected a first value, got none.",
    );
    await expect(compileLoop(carry, { runtime, start: { ...rest, a: tensor([1], [1]) } })).rejects.toThrow(
      "loop: a: expected float32 [2], got float32 [1].",
    );
    const loop = await compileLoop(carry, { runtime, start: start() });
    await expect(loop.write({ count: tensor([1], []) })).rejects.toThrow(
      "loop: count: expected int64 [], got float32 [].",
    );
    await expect(loop.write({ c: tensor([1], []) })).rejects.toThrow("loop: expected a name among a, b, count, got c.");
    await expect(loop.read(["c"])).rejects.toThrow("loop: expected a name among a, b, count, got c.");
    await loop.dispose();
  });
});

test("an input that is not fed is named", async () => {
  const { x, next, weights, start } = euler([1, 2, 4, 4]);
  const loop = await compileLoop({ x: { leaf: x, next } }, { runtime: cpu, weights, start: { x: start } });
  await expect(loop.run()).rejects.toThrow("input h: expected a tensor, got none.");
  expect(floats((await loop.read()).x!)).toEqual(floats(start));
  await loop.dispose();
});
