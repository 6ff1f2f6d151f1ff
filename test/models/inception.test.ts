import { afterAll, expect, test } from "vitest";
import { compileFunction, input, type Tensors } from "../../src/engine/index.ts";
import { createRuntime } from "../../src/engine/runtime/node.ts";
import { inception } from "../../src/models/inception.ts";
import { bindWeights, network, parameterCount } from "../../src/nn/model.ts";
import { floats, type Shape, sizeOf, tensor } from "../../src/tensor/tensor.ts";
import { drawn } from "../fixtures/drawn.ts";
import { readGolden } from "../nn/compare.ts";

const runtime = createRuntime("cpu", { threads: 1 });
afterAll(() => runtime.dispose());

function valued(name: string, shape: Shape) {
  const u = drawn(name, shape);
  if (name.endsWith("conv.weight")) {
    const bound = Math.sqrt(6 / sizeOf(shape.slice(1)));
    return tensor(new Float32Array(u.map((value) => (2 * value - 1) * bound)), shape);
  }
  const low = /weight|var/.test(name) ? 0.9 : -0.1;
  return tensor(new Float32Array(u.map((value) => low + 0.2 * value)), shape);
}

/** All weights as a file of PyTorch holds them, with what we leave out. */
const layers = Object.fromEntries(
  network(inception)
    .parameters()
    .map(({ attributes: { name }, shape }) => [name, valued(name, shape)]),
);
const theirs = (classes: number): Tensors => ({
  ...layers,
  "fc.weight": tensor(new Float32Array(classes), [classes, 1]),
  "fc.bias": tensor(new Float32Array(classes), [classes]),
  "AuxLogits.fc.bias": tensor([0], [1]),
  "Mixed_5b.branch1x1.bn.num_batches_tracked": tensor([0], [1]),
});

test("Inception v3 learns 21,785,568 numbers and gives 2048", () => {
  const net = network(inception); // 27,161,264 of torchvision less 3,326,696 of its auxiliary and 2,049,000 of its last layer
  expect(parameterCount(net)).toBe(27_161_264 - 3_326_696 - 2_049_000);
  expect(net(input("x", [2, 3, 299, 299])).shape).toEqual([2, 2048]);
});

test.each([
  ["tensorflow", 1008],
  ["torchvision", 1000],
] as const)("%s: adopted by its %d classes, features as in PyTorch", async (pooling, classes) => {
  const adopted = inception.adopt!(theirs(classes))!;
  expect(adopted.options).toEqual({ pooling });
  expect(adopted.usage).toEqual({ task: "embed", size: 299, channels: 3, features: 2048 });
  const net = network(inception, adopted.options);
  const weights = bindWeights(net, adopted.weights, "theirs");
  const compiled = await compileFunction({ y: net(input("x", [1, 3, 107, 107])) }, { runtime, weights });
  const picture = tensor(Float32Array.from(drawn("input", [1, 3, 107, 107])), [1, 3, 107, 107]);
  const made = floats((await compiled.run({ x: picture })).y!);
  const golden = readGolden(new URL("../fixtures/golden/inception.safetensors", import.meta.url))[""]!;
  const known = floats(golden[pooling]!);
  expect(Math.max(...known.map((value, i) => Math.abs(value - made[i]!)))).toBeLessThan(1e-4);
  await compiled.dispose();
});

test("weights whose last layer tells neither are refused", () => {
  expect(inception.adopt!({ "fc.bias": tensor(new Float32Array(1000), [1000]) })).toBeUndefined();
  expect(inception.adopt!(theirs(12))).toBeUndefined();
});
