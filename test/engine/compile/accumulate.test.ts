import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { assemble } from "../../../src/engine/compile/stepGraph.ts";
import {
  add,
  checkStep,
  compileStep,
  gather,
  input,
  matmul,
  mean,
  mul,
  type Node,
  parameter,
  type StepPlan,
  square,
  sub,
  tanh,
  topological,
} from "../../../src/engine/index.ts";
import { createRuntime } from "../../../src/engine/runtime/node.ts";
import { defineModel, network } from "../../../src/nn/model.ts";
import { batchNorm } from "../../../src/nn/norms.ts";
import { adam } from "../../../src/nn/optimizers.ts";
import { tensor } from "../../../src/tensor/tensor.ts";
import { seeded } from "../support.ts";

const weight = (network: string, name: string, shape: readonly number[]): Node =>
  parameter([], { name, network, shape, initializer: { kind: "constant", value: 0 }, trainable: true });

/** Two networks, the second judged by the first that just moved; pictures, labels and noise by the batch. */
function plan(batch: number, rest: Partial<StepPlan> = {}): StepPlan {
  const [x, label] = [input("x", [batch, 3]), input("label", [batch], { dtype: "int64" })];
  const noise = input("noise", [batch, 3], { noise: "normal" });
  const [u, table, v] = [weight("judge", "u", [3, 2]), weight("judge", "table", [4, 2]), weight("maker", "v", [3, 3])];
  const judge = (picture: Node): Node => tanh(add(matmul(picture, u), gather(table, label)));
  const made = tanh(matmul(noise, v));
  const error = mean(square(sub(judge(x), 1)));
  return {
    turns: {
      judge: { moves: ["judge"], loss: add(error, mean(square(judge(made)))), optimizer: adam() },
      maker: { moves: ["maker"], loss: mean(square(sub(judge(made), 1))), optimizer: adam() },
    },
    metrics: { error: mul(error, 2) },
    watchNorms: true,
    ema: ["maker"],
    ...rest,
  };
}

const random = seeded(8);
const drawn = (shape: readonly number[]) =>
  tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() - 0.5), shape); // biome-ignore format: one line
const weights = { "judge/u": drawn([3, 2]), "judge/table": drawn([4, 2]), "maker/v": drawn([3, 3]) };
const feeds = Array.from({ length: 3 }, () => ({
  x: drawn([8, 3]),
  label: { dtype: "int64", shape: [8], data: BigInt64Array.from({ length: 8 }, () => BigInt(Math.floor(4 * random()))) } as const, // biome-ignore format: one line
}));

describe.each([
  ["reference", 1e-6],
  ["cpu", 1e-5],
] as const)("a batch in parts on %s", (name, tolerance) => {
  const runtime = createRuntime(name, { threads: 1 });
  afterAll(() => runtime.dispose());

  test.each([2, 4, 8])("%i of them give what the whole batch gives", async (accumulate) => {
    const whole = await compileStep(plan(8), { runtime, weights, seed: 2 });
    const parts = await compileStep(plan(8 / accumulate, { accumulate }), { runtime, weights, seed: 2 });
    expect(parts.inputs).toEqual({ x: [8, 3], label: [8] });
    for (const [at, batch] of feeds.entries()) {
      const numbers = { step: at + 1, learningRate: 0.01, emaDecay: 0.5 };
      const [{ losses: expected }, { losses: found }] = [await whole.run(batch, numbers), await parts.run(batch, numbers)]; // biome-ignore format: one line
      expect(Object.keys(found)).toEqual(Object.keys(expected));
      for (const [key, value] of Object.entries(expected))
        expect(Math.abs(found[key]! - value), `${key} of step ${at + 1}`).toBeLessThan(tolerance);
    }
    const [expected, found] = [await whole.read(), await parts.read()];
    for (const [key, { data }] of Object.entries(expected))
      data.forEach((value: number | bigint, at: number) => {
        expect(Math.abs(Number(found[key]!.data[at]) - Number(value)), `${key}[${at}]`).toBeLessThan(10 * tolerance);
      });
    await whole.dispose();
    await parts.dispose();
  });
});

test("a part is begun when the gradients of all vectors are there", () => {
  const [one, two] = [weight("net", "one", [300, 1000]), weight("net", "two", [1000, 300])] as const;
  const loss = mean(tanh(matmul(tanh(matmul(input("x", [2, 300]), one)), two)));
  const { vectors } = assemble({ turns: { net: { moves: ["net"], loss, optimizer: adam() } }, accumulate: 2 });
  expect(vectors.filter(({ prefix }) => prefix === "m")).toHaveLength(2);
  const waits = topological(vectors.flatMap(({ next }) => next ?? [])).filter(({ op }) => op.name === "after");
  expect(waits).toHaveLength(1);
  const awaited = topological([waits[0]!.inputs[1]!]).filter(({ op }) => op.name === "matmul");
  expect(awaited).toHaveLength(5); // two of the way there, two weight gradients and one input gradient
});

test("statistics of a batch are refused", () => {
  const model = defineModel({
    name: "normed",
    summary: "",
    paper: "",
    options: z.object({}),
    input: () => [2, 3, 4, 4],
    build: (x, p) => mul(batchNorm(x, p("norm")), p.weight("gain", [1], { kind: "constant", value: 1 })),
  });
  const net = network(model);
  const loss = mean(net(input("x", [2, 3, 4, 4]), { training: true }));
  const turns = { normed: { moves: ["normed"], loss, optimizer: adam() } };
  const made: StepPlan = { turns, carried: net.carried, accumulate: 2 };
  expect(() => checkStep(made)).toThrow(
    "accumulate: expected networks without batch norm, got normed/norm.running_mean, a statistic of the whole batch.",
  );
  expect(() => checkStep({ ...made, accumulate: 1 })).not.toThrow();
});
