import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import {
  add,
  checkStep,
  compileFunction,
  compileStep,
  conv2d,
  input,
  matmul,
  mean,
  mul,
  type Node,
  parameter,
  type Runtime,
  referenceRuntime,
  type StepPlan,
  square,
  sub,
  sum,
  type Tensors,
  type Turn,
  tanh,
} from "../../../src/engine/index.ts";
import { createRuntime } from "../../../src/engine/runtime/node.ts";
import { mse } from "../../../src/nn/losses.ts";
import { adam, sgd } from "../../../src/nn/optimizers.ts";
import { floats, type Shape, type Tensor, tensor } from "../../../src/tensor/tensor.ts";
import { drawn } from "../../fixtures/drawn.ts";

/** What three steps in PyTorch gave, by test/fixtures/steps.py. */
interface GoldenStep {
  readonly numbers: Readonly<Record<string, number>>;
  readonly weights: Readonly<Record<string, readonly number[]>>;
}
const golden: Readonly<Record<"shared" | "frozen" | "clipped", readonly GoldenStep[]>> = JSON.parse(
  readFileSync(new URL("../../fixtures/golden/steps.json", import.meta.url), "utf8"),
);

/** Numbers of mean 0 by the formula of the fixtures. */
const spread = (name: string, shape: Shape, by = 1): Tensor =>
  tensor(
    Float32Array.from(drawn(name, shape), (u) => (2 * u - 1) * Math.sqrt(3) * by),
    shape,
  );
const leaf = (key: string, shape: Shape, trainable = true): Node => {
  const [network, name] = key.split("/") as [string, string];
  return parameter([], { name, network, shape, initializer: { kind: "constant", value: 0 }, trainable });
};
const valuesOf = (shapes: Readonly<Record<string, Shape>>): Tensors =>
  Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, spread(key, shape, 0.5)]));

/** The largest difference, as a share of the largest number. */
function distance(found: ArrayLike<number>, expected: readonly number[]): number {
  const size = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, at) => Math.abs(found[at]! - value))) / size;
}

const denseShapes = { "first/w": [4, 5], "second/w": [5, 3] };
/** Two networks of a layer each that share a turn. */
function dense(rest: Pick<Turn, "optimizer" | "clipNorm">): StepPlan {
  const made = matmul(tanh(matmul(input("x", [6, 4]), leaf("first/w", [4, 5]))), leaf("second/w", [5, 3]));
  return { turns: { loss: { moves: ["first", "second"], loss: mse(made, input("y", [6, 3])), ...rest } } };
}

const featureShapes = { "features/first": [3, 2, 3, 3], "features/second": [4, 3, 3, 3] };
/** A network whose pictures shall have the features of others. */
function perceptual(): StepPlan {
  const same = (x: Node, w: Node): Node => conv2d(x, w, { stride: [1, 1], dilation: [1, 1], padding: [1, 1, 1, 1], groups: 1 }); // biome-ignore format: one line
  const [first, second] = Object.entries(featureShapes).map(([key, shape]) => leaf(key, shape)) as [Node, Node];
  const features = (x: Node): Node => same(tanh(same(x, first)), second);
  const [x, target] = [input("x", [2, 2, 6, 6]), input("y", [2, 2, 6, 6])];
  const made = same(x, leaf("maker/w", [2, 2, 3, 3]));
  const loss = add(mse(features(made), features(target)), mul(mse(made, target), 0.1));
  return { turns: { loss: { moves: ["maker"], loss, optimizer: adam() } }, shown: { made, fed: x } };
}

interface Taken {
  readonly plan: StepPlan;
  readonly weights: Tensors;
  readonly frozen?: Tensors;
}

/** Takes the steps that PyTorch took; returns the names of the state. */
async function compare(
  { plan, weights, frozen }: Taken,
  steps: readonly GoldenStep[],
  { runtime, learningRate }: { readonly runtime: Runtime; readonly learningRate: number },
): Promise<string[]> {
  const step = await compileStep(plan, { runtime, weights, frozen });
  for (const [at, { numbers, weights: expected }] of steps.entries()) {
    const feeds = Object.entries(step.inputs).map(([name, shape]) => [name, spread(`${name} ${at + 1}`, shape)]);
    const { losses } = await step.run(Object.fromEntries(feeds), { step: at + 1, learningRate });
    expect(Object.keys(losses)).toEqual(Object.keys(numbers));
    for (const [name, value] of Object.entries(numbers))
      expect(distance([losses[name]!], [value]), `${name} of step ${at + 1}`).toBeLessThan(1e-5);
    const state = await step.read("weights");
    for (const [key, values] of Object.entries(expected))
      expect(distance(floats(state[`weights/${key}`]!), values), `${key} after step ${at + 1}`).toBeLessThan(1e-5);
  }
  const names = Object.keys(await step.read());
  await step.dispose();
  return names.sort();
}

describe.each(["reference", "cpu"] as const)("turns on %s", (name) => {
  const runtime = createRuntime(name, { threads: 1 });
  afterAll(() => runtime.dispose());

  test("two networks that share a loss move as by one Adam over both in PyTorch", async () => {
    const taken = { plan: dense({ optimizer: adam() }), weights: valuesOf(denseShapes) };
    const names = await compare(taken, golden.shared, { runtime, learningRate: 0.05 });
    const keys = Object.keys(denseShapes);
    expect(names).toEqual(["m", "v", "weights"].flatMap((prefix) => keys.map((key) => `${prefix}/${key}`)));
  });

  test("a gradient passes a frozen network as in PyTorch; its weights are in no state", async () => {
    const taken = {
      plan: perceptual(),
      weights: valuesOf({ "maker/w": [2, 2, 3, 3] }),
      frozen: valuesOf(featureShapes),
    };
    const names = await compare(taken, golden.frozen, { runtime, learningRate: 0.05 });
    expect(names).toEqual(["m/maker/w", "v/maker/w", "weights/maker/w"]);
  });

  test("each network of a turn is clipped by the length of its own gradient, as by clip_grad_norm_", async () => {
    const clips = golden.clipped.flatMap(({ numbers }) => [numbers["norm of first"]!, numbers["norm of second"]!]);
    expect(clips.some((length) => length > 0.75) && clips.some((length) => length < 0.75)).toBe(true);
    const taken = {
      plan: dense({ optimizer: sgd({ momentum: 0.9 }), clipNorm: 0.75 }),
      weights: valuesOf(denseShapes),
    };
    await compare(taken, golden.clipped, { runtime, learningRate: 0.4 });
  });

  test("what is shown has its shape and the numbers that the reference computes, when it is asked for", async () => {
    const plan = perceptual();
    const shown = { ...plan.shown, row: sum(square(plan.shown!.made!), [0, 2, 3]) };
    const weights = valuesOf({ "maker/w": [2, 2, 3, 3] });
    const step = await compileStep({ ...plan, shown }, { runtime, weights, frozen: valuesOf(featureShapes) });
    const feeds = { x: spread("x", [2, 2, 6, 6]), y: spread("y", [2, 2, 6, 6]) };
    const oracle = await compileFunction(shown, { runtime: referenceRuntime(), weights });
    const expected = await oracle.run(feeds);
    const numbers = { step: 1, learningRate: 0.1 };
    const report = await step.run(feeds, numbers, { numbers: [], shown: ["row", "made", "fed"] });
    expect(report.losses).toEqual({});
    expect(Object.keys(report.shown)).toEqual(["row", "made", "fed"]);
    for (const [key, value] of Object.entries(report.shown)) {
      expect(value.shape).toEqual(expected[key]!.shape);
      expect(distance(floats(value), [...floats(expected[key]!)])).toBeLessThan(1e-6);
    }
    expect((await step.run(feeds, numbers)).shown).toEqual({});
    await expect(step.run(feeds, numbers, { shown: ["loss"] })).rejects.toThrow('the step has no "loss" to read back');
    await step.dispose();
  });

  test("read gives the state of a prefix alone", async () => {
    const plan = { ...dense({ optimizer: adam() }), ema: ["second"] };
    const step = await compileStep(plan, { runtime, weights: valuesOf(denseShapes) });
    const all = await step.read();
    for (const [prefix, keys] of [
      ["weights", ["weights/first/w", "weights/second/w"]],
      ["weights/second", ["weights/second/w"]],
      ["ema", ["ema/second/w"]],
      ["velocity", []],
    ] as const)
      expect(await step.read(prefix)).toEqual(Object.fromEntries(keys.map((key) => [key, all[key]])));
    await step.dispose();
  });

  test("learning rates are by turn, decays of the moving averages by network", async () => {
    const w = Object.fromEntries(["a", "b", "c"].map((network) => [network, leaf(`${network}/w`, [])]));
    const turns = {
      one: { moves: ["a", "b"], loss: add(w.a!, mul(w.b!, 2)), optimizer: sgd() },
      two: { moves: ["c"], loss: mul(w.c!, 4), optimizer: sgd() },
    };
    const zero = tensor([0], []);
    const weights = { "a/w": zero, "b/w": zero, "c/w": zero };
    const step = await compileStep({ turns, ema: ["a", "b"] }, { runtime, weights });
    await step.run({}, { step: 1, learningRate: { one: 0.5, two: 0.25 }, emaDecay: { a: 0.75, b: 0.5 } });
    const state = Object.entries(await step.read()).map(([key, { data }]) => [key, data[0]]);
    expect(Object.fromEntries(state)).toEqual({
      "weights/a/w": -0.5,
      "weights/b/w": -1,
      "weights/c/w": -1,
      "ema/a/w": -0.125,
      "ema/b/w": -0.5,
    });
    await step.dispose();
  });

  test("passes of one turn see a carried value as it was and follow one another; the next turn sees what it became", async () => {
    const [a, b, kept] = [leaf("a/w", []), leaf("b/w", []), leaf("state/kept", [], false)];
    const losses = [mul(a, kept), mul(b, kept)] as const; // gradients: the value that the turn sees
    const carried = [
      { parameter: kept, next: (before: Node) => add(mul(before, 10), kept), from: losses[0] },
      { parameter: kept, next: (before: Node) => add(before, kept), from: losses[0] },
      { parameter: kept, next: (before: Node) => sub(before, 1), from: losses[1] },
    ];
    const turns = {
      a: { moves: ["a"], loss: losses[0], optimizer: sgd() },
      b: { moves: ["b"], loss: losses[1], optimizer: sgd() },
    };
    const weights = { "a/w": tensor([0], []), "b/w": tensor([0], []), "state/kept": tensor([2], []) };
    const step = await compileStep({ turns, carried }, { runtime, weights });
    await step.run({}, { step: 1, learningRate: 1 });
    const state = await step.read();
    expect(state["weights/a/w"]!.data[0]).toBe(-2);
    expect(state["weights/b/w"]!.data[0]).toBe(-(10 * 2 + 2 + 2));
    expect(state["weights/state/kept"]!.data[0]).toBe(23);
    await step.dispose();
  });
});

describe("a plan that cannot be", () => {
  const [a, b] = [leaf("a/w", [2]), leaf("b/w", [2])];
  const turn = (...moves: string[]): Turn => ({ moves, loss: mean(square(a)), optimizer: sgd() });

  test("names the turn and the network that its loss does not depend on", () => {
    const seen = { both: { moves: ["b"], loss: mean(mul(a, b)), optimizer: sgd() } };
    expect(() => checkStep({ turns: { ...seen, fit: turn("a", "b") } })).toThrow(
      'internal: the loss of the turn "fit" depends on no parameter of the network "b"',
    );
  });

  test("refuses to move a network that is frozen or has moved", () => {
    const value = { "a/w": tensor([0, 0], [2]) };
    expect(() => checkStep({ turns: { fit: turn("a") } }, value)).toThrow(
      'the turn "fit" moves the network "a", which is frozen',
    );
    expect(() => checkStep({ turns: { fit: turn("a"), again: turn("a") } })).toThrow(
      'the turn "again" moves the network "a", which has moved in this step',
    );
  });

  test("refuses frozen weights of another shape, and values carried to one", () => {
    const frozen = { "b/w": tensor([0], [1]) };
    expect(() => checkStep({ turns: { fit: { ...turn("a"), loss: mean(mul(a, b)) } } }, frozen)).toThrow(
      "b/w: expected the shape [2], got [1].",
    );
    const parameter = leaf("b/kept", [2], false);
    const carried = [{ parameter, next: (before: Node) => sum(before), from: a }];
    expect(() => checkStep({ turns: { fit: turn("a") }, carried })).toThrow("b/kept [2] becomes []");
    const held = [{ parameter, next: (before: Node) => before, from: a }];
    const kept = { "b/kept": tensor([0, 0], [2]) };
    expect(() => checkStep({ turns: { fit: turn("a") }, carried: held }, kept)).toThrow(
      "b/kept is carried on, but it is frozen or moved by an optimizer",
    );
  });

  test("a mean over pictures may be taken by parts, what else depends on the batch may not", () => {
    const [parameter, x] = [leaf("b/kept", [], false), input("x", [2])];
    const plan = (next: Node, isMean: boolean): StepPlan => ({
      turns: { fit: { ...turn("a"), loss: mean(mul(a, x)) } },
      carried: [{ parameter, next: () => next, from: a, isMean }],
      accumulate: 2,
    });
    expect(() => checkStep(plan(mean(x), true))).not.toThrow();
    expect(() => checkStep(plan(mean(a), false))).not.toThrow();
    expect(() => checkStep(plan(mean(x), false))).toThrow(
      /^accumulate: .* got b\/kept, a statistic of the whole batch/,
    );
  });
});
