import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  add,
  compileFunction,
  compileStep,
  conv2d as convolve,
  gradient,
  input,
  matmul,
  mul,
  parameter,
  prelu,
  square,
  sum,
} from "../../../src/engine/index.ts";
import { createRuntime } from "../../../src/engine/runtime/node.ts";
import { conv2d } from "../../../src/nn/layers.ts";
import { defineModel, network } from "../../../src/nn/model.ts";
import { sgd } from "../../../src/nn/optimizers.ts";
import { floats, tensor } from "../../../src/tensor/tensor.ts";

const w = parameter([], {
  name: "w",
  network: "net",
  shape: [2],
  initializer: { kind: "constant", value: 0 },
  trainable: true,
});
const weights = { "net/w": tensor([3, -1], [2]) };
const x = input("x", [2]);

describe.each(["reference", "cpu"] as const)("compileFunction on %s", (name) => {
  const runtime = createRuntime(name, { threads: 1 });
  afterAll(() => runtime.dispose());

  test("gives outputs and gradients by input and by weight; fetch picks some", async () => {
    const loss = sum(mul(square(x), w));
    const [dx, dw] = gradient(loss, [x, w]);
    const compiled = await compileFunction({ loss, dx: dx!, dw: dw! }, { runtime, weights });
    const made = await compiled.run({ x: tensor([2, 5], [2]) });
    expect(Object.fromEntries(Object.entries(made).map(([key, { data }]) => [key, [...data]]))).toEqual({
      loss: [-13],
      dx: [12, -10],
      dw: [4, 25],
    });
    expect(made.loss!.shape).toEqual([]);
    expect(Object.keys(await compiled.run({ x: tensor([0, 0], [2]) }, ["dw"]))).toEqual(["dw"]);
    await compiled.dispose();
  });

  test("parameters of two networks may share a name, with each other and with outputs", async () => {
    const other = parameter([], { ...w.attributes, network: "other" });
    const both = { ...weights, "other/w": tensor([10, 20], [2]) };
    const compiled = await compileFunction({ w: add(w, other), own: w }, { runtime, weights: both });
    const made = await compiled.run({});
    expect([[...floats(made.w!)], [...floats(made.own!)]]).toEqual([[13, 19], [3, -1]]); // biome-ignore format: one line
    await compiled.dispose();
  });

  test("an input that is not fed is named", async () => {
    const compiled = await compileFunction({ y: mul(x, w) }, { runtime, weights });
    await expect((async () => compiled.run({}))()).rejects.toThrow("input x: expected a tensor, got none.");
    await compiled.dispose();
  });

  test("a weight without a value is named", async () => {
    await expect((async () => compileFunction({ y: mul(x, w) }, { runtime }))()).rejects.toThrow("net/w");
  });
});

describe("constants", () => {
  const cpu = createRuntime("cpu", { threads: 1 });
  afterAll(() => cpu.dispose());

  test("a slope that no longer changes is another operator with the same result", async () => {
    const x = input("x", [1, 2, 2]);
    const slope = (size: number) =>
      parameter([], {
        ...w.attributes,
        name: `slope${size}`,
        shape: [size],
        initializer: { kind: "constant", value: 0 },
      });
    const values = { "net/slope1": tensor([-0.5], [1]), "net/slope2": tensor([-0.5, 3], [2]) };
    const outputs = { one: prelu(x, slope(1)), each: prelu(x, slope(2)) };
    const compiled = await compileFunction(outputs, { runtime: cpu, weights: values });
    const { one, each } = await compiled.run({ x: tensor([1, -2, -4, 8], [1, 2, 2]) });
    expect([...floats(one!)]).toEqual([1, 1, 2, 8]);
    expect([...floats(each!)]).toEqual([1, 1, -12, 8]);
    await compiled.dispose();
  });
});

describe("errors", () => {
  const runtime = createRuntime("reference");
  const turn = { moves: ["net"], loss: sum(mul(x, w)), optimizer: sgd() };
  const plan = { turns: { net: turn } };

  test("a shape that does not fit: layer path, op and shapes", () => {
    const net = network(
      defineModel({
        name: "srcnn",
        summary: "",
        paper: "",
        options: z.object({}),
        input: () => [1, 3, 4, 4],
        build: (y, p) => conv2d(y, p("extract"), { out: 4, kernel: 9, padding: 0 }),
      }),
    );
    expect(() => net(input("x", [1, 3, 4, 4]))).toThrow(
      /^srcnn › extract › conv2d( › conv2d)?: .*\[1, 3, 4, 4\], \[4, 3, 9, 9\]/,
    );
    expect(() => convolve(input("x", [1, 3, 8, 8]), input("w", [4, 2, 3, 3]))).toThrow(
      /^conv2d: .*\[1, 3, 8, 8\], \[4, 2, 3, 3\]/,
    );
    expect(() => matmul(input("a", [2, 3]), input("b", [4, 5]))).toThrow(
      "matmul: 3 columns meet 4 rows ([2, 3], [4, 5]).",
    );
  });

  test("a path does not outlive the error", () => {
    expect(() => matmul(x, x)).toThrow(/^matmul: /);
  });

  test("a loss that is no scalar", async () => {
    await expect(compileStep({ turns: { net: { ...turn, loss: mul(x, w) } } }, { runtime, weights })).rejects.toThrow(
      /expected a scalar .*\[2\]/,
    );
  });

  test("first weights that are missing or misshapen", async () => {
    await expect(compileStep(plan, { runtime, weights: {} })).rejects.toThrow(
      "net/w: expected first values of this parameter, got none.",
    );
    await expect(compileStep(plan, { runtime, weights: { "net/w": tensor([1], [1]) } })).rejects.toThrow(
      "net/w: expected the shape [2], got [1].",
    );
  });

  test("a turn without its network, its learning rate or its input", async () => {
    await expect(
      compileStep({ turns: { first: { ...turn, moves: ["other"] } } }, { runtime, weights }),
    ).rejects.toThrow('the loss of the turn "first" depends on no parameter of the network "other"');
    const step = await compileStep(plan, { runtime, weights });
    const feeds = { x: tensor([1, 1], [2]) };
    await expect(step.run(feeds, { step: 1, learningRate: {} })).rejects.toThrow('no learning rate for the turn "net"');
    await expect(step.run({}, { step: 1, learningRate: 1 })).rejects.toThrow("input x: expected a tensor, got none.");
  });
});
