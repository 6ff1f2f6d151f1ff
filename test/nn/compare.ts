import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  compileFunction,
  compileStep,
  gradient,
  input,
  inputsOf,
  mul,
  type Node,
  parameter,
  type Runtime,
  sum,
  type Tensors,
} from "../../src/engine/index.ts";
import { createRuntime } from "../../src/engine/runtime/node.ts";
import { zeros } from "../../src/nn/initializers.ts";
import { defineModel, type Network, network } from "../../src/nn/model.ts";
import { sgd } from "../../src/nn/optimizers.ts";
import { readSafetensors } from "../../src/tensor/safetensors.ts";
import { floats, type Tensor, tensor } from "../../src/tensor/tensor.ts";
import { layers, optimizers } from "./golden.ts";

/** "case/name" in two; a name without a case belongs to "". */
const split = (key: string): readonly [string, string] => {
  const at = key.indexOf("/");
  return [key.slice(0, Math.max(0, at)), key.slice(at + 1)];
};

/** The tensors of a golden file, by case and name. */
export function readGolden(path: string | URL): Record<string, Record<string, Tensor>> {
  const cases: Record<string, Record<string, Tensor>> = {};
  for (const [key, value] of Object.entries(readSafetensors(readFileSync(path), String(path)).tensors)) {
    const [name, part] = split(key);
    cases[name] ??= {};
    cases[name][part] = value;
  }
  return cases;
}

const LEARNED: Readonly<Record<string, string>> = { weight: "w", bias: "b", running_mean: "mean", running_var: "var" };
const IS_LEARNED = /^d?(w|b|mean|var)$/;

/** Largest difference, relative to the largest expected number. */
export const distance = (actual: Tensor, expected: Tensor): number => {
  if (actual.data.length !== expected.data.length) return Number.POSITIVE_INFINITY;
  const [ours, theirs] = [floats(actual), floats(expected)];
  const scale = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  return ours.reduce((most, value, at) => {
    const apart = Math.abs(value - theirs[at]!) / scale;
    return Number.isNaN(apart) ? Number.POSITIVE_INFINITY : Math.max(most, apart);
  }, 0);
};

/** The first left singular vector of a matrix, by power iterations in float64: PyTorch's golden case has converged. */
function leftVector({ shape: [rows, columns], data }: Tensor): Tensor {
  let u = Array.from({ length: rows! }, (_, row) => Math.sin(row + 1));
  for (let round = 0; round < 500; round++) {
    const v = Array.from({ length: columns! }, (_, column) =>
      u.reduce((total, value, row) => total + value * Number(data[row * columns! + column]), 0),
    );
    const next = u.map((_, row) =>
      v.reduce((total, value, column) => total + value * Number(data[row * columns! + column]), 0),
    );
    const length = Math.hypot(...next);
    u = next.map((value) => value / length);
  }
  return tensor(u, [rows!]);
}

interface Built {
  readonly net: Network;
  readonly y: Node;
  readonly weights: Tensors;
  readonly feeds: Tensors;
}

function build(name: string, stored: Tensors): Built {
  const fed = Object.entries(stored).filter(([part]) => !IS_LEARNED.test(part) && !/^(y|d.)$/.test(part));
  const leaves = Object.fromEntries(
    fed.map(([part, { shape, dtype }]) => [part, input(part, shape, { dtype })] as const),
  );
  const net = network(
    defineModel({
      name: "golden",
      summary: "",
      paper: "",
      options: z.object({}),
      input: () => [1],
      build: (_, p) => layers[name]!(leaves, p, stored),
    }),
  );
  const training = /train|running|spectral/.test(name);
  const y = net(Object.values(leaves)[0] ?? input("none", []), { training });
  const weights = net.parameters().map(({ attributes: { name: own, shape, initializer } }) => {
    if (own === "u") return [`golden/${own}`, leftVector(stored.w!)];
    const first = initializer.kind === "constant" ? initializer.value : Number.NaN;
    const asked = training && own.startsWith("running") ? undefined : stored[LEARNED[own]!];
    return [`golden/${own}`, asked ?? tensor(new Array(shape.reduce((a, b) => a * b, 1)).fill(first), shape)];
  });
  return { net, y, weights: Object.fromEntries(weights), feeds: Object.fromEntries(fed) };
}

/** Distances of a case's output and of all its gradients from PyTorch's. */
async function compareLayer(name: string, stored: Tensors, runtime: Runtime): Promise<Record<string, number>> {
  const { net, y, weights, feeds } = build(name, stored);
  const dy = input("dy", y.shape);
  const wanted = Object.keys(stored).filter((part) => part !== "dy" && part.startsWith("d"));
  const learned = new Map(net.parameters().map((leaf) => [LEARNED[leaf.attributes.name], leaf]));
  const fed = new Map(inputsOf([y]).map((leaf) => [leaf.attributes.name, leaf]));
  const leafOf = (part: string): Node => learned.get(part) ?? fed.get(part)!;
  const slopes = gradient(
    sum(mul(y, dy)),
    wanted.map((part) => leafOf(part.slice(1))),
  );
  const outputs = { y, ...Object.fromEntries(wanted.map((part, index) => [part, slopes[index]!])) };
  const compiled = await compileFunction(outputs, { runtime, weights });
  const made = await compiled.run({ ...feeds, dy: { ...stored.dy!, shape: y.shape } });
  await compiled.dispose();
  return Object.fromEntries(Object.entries(made).map(([part, value]) => [part, distance(value, stored[part]!)]));
}

/** Distances of the running statistics after one training step from 0 and 1. */
async function compareRunning(stored: Tensors, runtime: Runtime): Promise<Record<string, number>> {
  const { net, y, weights, feeds } = build("batchNorm.running", stored);
  const step = await compileStep(
    { turns: { golden: { moves: ["golden"], loss: sum(y), optimizer: sgd() } }, carried: net.carried },
    { runtime, weights },
  );
  await step.run(feeds, { step: 1, learningRate: 0 });
  const state = await step.read();
  await step.dispose();
  return {
    mean: distance(state["weights/golden/running_mean"]!, stored.mean!),
    var: distance(state["weights/golden/running_var"]!, stored.var!),
  };
}

/** Six compiled steps on the loss Σ w·g, whose gradient is g; the worst distance of the weights after each. */
async function compareOptimizer(name: string, stored: Tensors, runtime: Runtime): Promise<number> {
  const [optimizer, learningRate] = optimizers[name]!;
  const [start, slopes, expected] = [stored.w0!, stored.gradients!, stored[name]!];
  const w = parameter([], { name: "w", network: "net", shape: start.shape, initializer: zeros, trainable: true });
  const step = await compileStep(
    { turns: { net: { moves: ["net"], loss: sum(mul(w, input("g", w.shape))), optimizer } } },
    { runtime, weights: { "net/w": start } },
  );
  const size = start.data.length;
  const row = ({ data }: Tensor, at: number): Tensor =>
    tensor((data as Float32Array).slice(at * size, (at + 1) * size), start.shape);
  let worst = 0;
  for (let at = 0; at < slopes.shape[0]!; at++) {
    await step.run({ g: row(slopes, at) }, { step: at + 1, learningRate });
    worst = Math.max(worst, distance((await step.read())["weights/net/w"]!, row(expected, at)));
  }
  await step.dispose();
  return worst;
}

type Golden = Readonly<Record<string, Readonly<Record<string, Tensor>>>>;

/** Compares every case of the two golden files with PyTorch, on the reference and on the CPU. */
export function testGolden(cases: Golden, steps: Tensors): void {
  describe.each([
    ["reference", 1e-5],
    ["cpu", 1e-4],
  ] as const)("PyTorch on %s", (name, tolerance) => {
    const runtime = createRuntime(name, { threads: 1 });
    afterAll(() => runtime.dispose());

    test.each(Object.keys(cases))("%s", async (one) => {
      const running = one === "batchNorm.eval" ? pick(cases["batchNorm.running"]!, ["mean", "var"]) : {};
      const found =
        one === "batchNorm.running"
          ? await compareRunning(cases[one]!, runtime)
          : await compareLayer(one, { ...cases[one], ...running }, runtime);
      expect(Object.keys(found).length).toBeGreaterThan(1);
      for (const [part, apart] of Object.entries(found)) expect(apart, part).toBeLessThan(tolerance);
    });

    test.each(Object.keys(optimizers))("%s", async (one) => {
      expect(await compareOptimizer(one, steps, runtime)).toBeLessThan(tolerance);
    });
  });
}

const pick = (from: Tensors, names: readonly string[]): Tensors =>
  Object.fromEntries(names.map((name) => [name, from[name]!]));
