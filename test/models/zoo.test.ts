import { afterAll, describe, expect, test } from "vitest";
import { compileFunction, gradient, input, inputsOf, mean, square, sub } from "../../src/engine/index.ts";
import { createRuntime } from "../../src/engine/runtime/node.ts";
import { diffusionUnet } from "../../src/models/diffusionUnet.ts";
import { models } from "../../src/models/index.ts";
import { patchGan } from "../../src/models/patchGan.ts";
import { srcnn } from "../../src/models/srcnn.ts";
import { unet } from "../../src/models/unet.ts";
import { givenLeaves, initialWeights, network, parameterCount } from "../../src/nn/model.ts";
import { floats, type Shape, sizeOf, tensor } from "../../src/tensor/tensor.ts";
import { seeded } from "../engine/support.ts";

const runtime = createRuntime("cpu", { threads: 1 });
afterAll(() => runtime.dispose());

const random = seeded(5);
const noise = (shape: Shape) => tensor(Float32Array.from({ length: sizeOf(shape) }, random), shape);

/** Options that make large networks small. */
const SMALL: Readonly<Record<string, Record<string, unknown>>> = {
  unet: { size: 32, width: 4 },
  "patch-gan": { width: 4 },
  "diffusion-unet": { width: 8, multipliers: [1, 2, 3], blocks: 1 },
};

describe.each(models.map((model) => [model.name, model] as const))("%s", (name, model) => {
  const net = network(model, SMALL[name]);
  const shape = model.input(net.options);
  const weights = initialWeights([net], 1);

  test("has the name of its list entry, a summary, a paper, and described options", () => {
    expect(models.filter((other) => other.name === name)).toEqual([model]);
    expect(model.summary.length).toBeGreaterThan(10);
    expect(model.summary).not.toMatch(/\.$/);
    expect(model.paper).toMatch(/^https:\/\//);
    for (const [key, field] of Object.entries(model.options.shape))
      expect((field as { description?: string }).description, key).toBeTruthy();
  });

  test("keeps its shape contract when it runs, for one picture and for three", async () => {
    for (const batch of [1, 3]) {
      const x = input("x", [batch, ...shape.slice(1)]);
      const given = givenLeaves(model, net.options, batch);
      const y = net(x, { given });
      expect(y.shape[0]).toBe(batch);
      const compiled = await compileFunction({ y }, { runtime, weights });
      const further = Object.entries(given).map(([key, leaf]) => [key, noise(leaf.shape)]);
      const made = await compiled.run({ x: noise(x.shape), ...Object.fromEntries(further) });
      expect(made.y!.shape).toEqual(y.shape);
      expect(floats(made.y!).every(Number.isFinite)).toBe(true);
      await compiled.dispose();
    }
  });

  test("gives every parameter a finite gradient that is not zero", async () => {
    const x = input("x", [2, ...shape.slice(1)]);
    const y = net(x, { training: true, given: givenLeaves(model, net.options, 2) });
    const moving = net.parameters().filter(({ attributes }) => attributes.trainable);
    const away = input("away", y.shape);
    const slopes = gradient(mean(square(sub(y, away))), moving);
    const outputs = Object.fromEntries(
      moving.map(({ attributes }, at) => [`slope of ${attributes.name}`, slopes[at]!]),
    );
    const compiled = await compileFunction(outputs, { runtime, weights });
    const leaves = inputsOf(Object.values(outputs)); // x, away, and what dropout draws
    const made = await compiled.run(
      Object.fromEntries(leaves.map(({ attributes: { name }, shape }) => [name, noise(shape)])),
    );
    expect(Object.keys(made).length).toBe(new Set(moving).size);
    for (const [parameter, value] of Object.entries(made)) {
      expect(floats(value).every(Number.isFinite), parameter).toBe(true);
      expect(
        floats(value).some((slope) => slope !== 0),
        parameter,
      ).toBe(true);
    }
    await compiled.dispose();
  });

  test("options survive JSON and make the same parameters", () => {
    const again = network(model, JSON.parse(JSON.stringify(net.options)));
    const names = (one: typeof net) => one.parameters().map(({ attributes, shape }) => [attributes.name, shape]);
    expect(again.options).toEqual(net.options);
    expect(names(again)).toEqual(names(net));
    expect(parameterCount(net)).toBeGreaterThan(0);
  });
});

test("SRCNN has the paper's sizes", () => {
  expect(parameterCount(network(srcnn, { kernels: [9, 1, 5] }))).toBe(8_129);
  expect(parameterCount(network(srcnn, { kernels: [9, 5, 5] }))).toBe(57_281);
});

test("U-Nets and PatchGAN have as many numbers as their authors' networks", () => {
  expect(parameterCount(network(unet))).toBe(54_413_955); // "54.414 M" in the authors' logs
  expect(parameterCount(network(patchGan))).toBe(2_768_705); // "2.769 M"
  expect(parameterCount(network(diffusionUnet))).toBe(35_746_307); // "35.7 million" in the paper
});

test("U-Nets keep the picture's size, PatchGAN scores overlapping patches", () => {
  expect(network(unet, { size: 16, width: 2 })(input("x", [2, 3, 32, 48])).shape).toEqual([2, 3, 32, 48]);
  expect(network(unet, { size: 512, channels: 1, width: 1 })(input("x", [1, 1, 512, 512])).shape).toEqual([1, 1, 512, 512]); // biome-ignore format: one line
  expect(network(patchGan, { width: 2 })(input("x", [1, 6, 256, 256])).shape).toEqual([1, 1, 30, 30]); // the paper's 30×30
  const wide = network(diffusionUnet, { size: 16, width: 96, multipliers: [1, 3], attention: [8, 16] });
  expect(wide(input("x", [2, 3, 16, 16]), { given: { time: input("time", [2]) } }).shape).toEqual([2, 3, 16, 16]);
});

test("SRCNN's output is of the size of its input, on any sides and channels", () => {
  for (const [channels, height, width] of [
    [1, 7, 30],
    [3, 33, 5],
  ] as const) {
    // biome-ignore format: one line
    const net = network(srcnn, { channels, features: 4, mapped: 2 });
    expect(net(input("x", [2, channels, height, width])).shape).toEqual([2, channels, height, width]);
  }
});

test("SRCNN adopts what others saved, and refuses what is not of it", () => {
  const saved = (names: readonly string[]) =>
    Object.fromEntries(
      names.flatMap((name, layer) => {
        const [out, into, side] = [[8, 3, 9], [4, 8, 1], [3, 4, 5]][layer] as [number, number, number]; // biome-ignore format: one line
        return [[`${name}.weight`, noise([out, into, side, side])], [`${name}.bias`, noise([out])]]; // biome-ignore format: one line
      }),
    );
  const theirs = saved(["conv1", "conv2", "conv3"]);
  const adopted = srcnn.adopt!(theirs)!;
  expect(adopted.options).toEqual({ channels: 3, features: 8, mapped: 4, kernels: [9, 1, 5], center: 0 });
  expect(adopted.usage).toEqual({ task: "upscale", color: "rgb", input: "enlarged" });
  const net = network(srcnn, adopted.options);
  for (const { attributes, shape } of net.parameters()) expect(adopted.weights[attributes.name]!.shape).toEqual(shape);
  expect(adopted.weights["map.weight"]).toBe(theirs["conv2.weight"]);
  expect(srcnn.adopt!({ ...theirs, extra: noise([1]) })).toBeUndefined();
  expect(srcnn.adopt!(saved(["a", "b", "c"]))).toBeUndefined();
});
