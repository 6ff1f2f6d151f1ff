import { describe, expect, test } from "vitest";
import { evaluate, input, type Node, type Tensors } from "../../src/engine/index.ts";
import { dcganDiscriminator } from "../../src/models/dcgan.ts";
import { ganDiscriminator, ganGenerator } from "../../src/models/gan.ts";
import { models } from "../../src/models/index.ts";
import { lenet } from "../../src/models/lenet.ts";
import { bindWeights, type ModelDefinition, network } from "../../src/nn/model.ts";
import { indices, type Shape, sizeOf, type Tensor, tensor } from "../../src/tensor/tensor.ts";
import { seeded } from "../engine/support.ts";

const random = seeded(8);
const noise = (shape: Shape) => tensor(Float32Array.from({ length: sizeOf(shape) }, random), shape);
const drawn = (shapes: Readonly<Record<string, Shape>>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, noise(shape)]));

/** Weights that a model takes as its own: every name and shape fits. */
function adopted(model: unknown, weights: Tensors) {
  const { adopt } = model as ModelDefinition;
  const found = adopt!(weights)!;
  const made = network(model as ModelDefinition, found.options);
  return { ...found, made, bound: bindWeights(made, found.weights, "theirs") };
}

/** What an adopted network makes of x, in float64. */
function outputOf({ made, bound }: ReturnType<typeof adopted>, x: Tensor): Float64Array {
  const leaf = input("x", x.shape);
  const y = made(leaf);
  const values = new Map<Node, { shape: Shape; data: Float64Array }>([[leaf, numbers(x)]]);
  for (const one of made.parameters()) values.set(one, numbers(bound[`${made.key}/${one.attributes.name}`]!));
  return evaluate([y], values as never)[0]!.data as Float64Array;
}

const numbers = ({ shape, data }: Tensor) => ({ shape, data: Float64Array.from(data as Float32Array) });

const dense = (widths: readonly number[]) =>
  drawn(
    Object.fromEntries(
      widths.slice(1).flatMap((out, at) => [
        [`${2 * at}.weight`, [out, widths[at]!]],
        [`${2 * at}.bias`, [out]],
      ]),
    ),
  );

/** x W + b by hand. */
const layer = (x: readonly number[], weight: Tensor, bias: Tensor): number[] =>
  Array.from(bias.data as Float32Array, (b, o) =>
    x.reduce((sum, value, i) => sum + value * (weight.data[o * x.length + i] as number), b),
  );

describe("dense layers in a sequence", () => {
  test("are a generator when they end in a picture: rectifiers between, tanh brought to 0…1", () => {
    const theirs = dense([3, 5, 4, 64]);
    const mine = adopted(ganGenerator, theirs);
    expect(mine.usage).toEqual({ task: "generate", size: 8, channels: 1, latent: 3, classes: 0 });
    const x = noise([1, 3]);
    let y = [...(x.data as Float32Array)];
    for (const at of [0, 2, 4]) {
      y = layer(y, theirs[`${at}.weight`]!, theirs[`${at}.bias`]!);
      y = y.map((value) => (at < 4 ? Math.max(0, value) : (Math.tanh(value) + 1) / 2));
    }
    for (const [i, value] of outputOf(mine, x).entries()) expect(value).toBeCloseTo(y[i]!, 10);
  });

  test("are a discriminator when they begin with one and end in a score", () => {
    const mine = adopted(ganDiscriminator, dense([192, 6, 1]));
    expect(mine.options).toEqual({ size: 8, channels: 3, hidden: [6] });
    expect(mine.usage).toEqual({ task: "discriminate", size: 8, channels: 3 });
    expect(outputOf(mine, noise([2, 3, 8, 8])).length).toBe(2);
  });

  test("are nothing else", () => {
    for (const widths of [[784, 20, 10], [5, 64], [4, 3, 1]]) // biome-ignore format: one line
      expect(models.map((model) => model.adopt?.(dense(widths))).filter(Boolean)).toEqual([]);
    const { "2.bias": _, ...rest } = dense([3, 5, 64]);
    expect(ganGenerator.adopt!({ ...rest, "2.scale": noise([64]) })).toBeUndefined();
    const broken = { ...dense([3, 5, 64]), "2.weight": noise([64, 4]) };
    expect(ganGenerator.adopt!(broken)).toBeUndefined();
  });
});

const norm = (at: number, width: number) => ({
  [`main.${at}.weight`]: [width],
  [`main.${at}.bias`]: [width],
  [`main.${at}.running_mean`]: [width],
});
const discriminator = (): Record<string, Tensor> => ({
  ...drawn({
    "main.0.weight": [4, 1, 4, 4],
    "main.2.weight": [8, 4, 4, 4],
    ...norm(3, 8),
    "main.5.weight": [16, 8, 4, 4],
    ...norm(6, 16),
    "main.8.weight": [1, 16, 4, 4],
    "main.3.running_var": [8],
    "main.6.running_var": [16],
  }),
  "main.3.num_batches_tracked": indices([7], [1]),
});

test("DCGAN's discriminator of digits: the last convolution is a dense layer without its first row and column", () => {
  const theirs = discriminator();
  const mine = adopted(dcganDiscriminator, theirs);
  expect(mine.usage).toEqual({ task: "discriminate", size: 28, channels: 1 });
  expect(mine.weights["score.weight"]!.shape).toEqual([1, 16 * 3 * 3]);
  expect(mine.weights["score.weight"]!.data[0]).toBe(theirs["main.8.weight"]!.data[5]);
  expect(mine.weights["score.weight"]!.data[143]).toBe(theirs["main.8.weight"]!.data[255]);
  expect(mine.weights["down.1.norm.bias"]).toBe(theirs["main.3.bias"]);
  expect(mine.weights["down.2.conv.weight"]).toBe(theirs["main.5.weight"]);
  expect(outputOf(mine, noise([2, 1, 28, 28])).length).toBe(2);
  expect(dcganDiscriminator.adopt!({ ...theirs, "main.11.weight": noise([1, 16, 4, 4]) })).toBeUndefined();
  expect(dcganDiscriminator.adopt!({ ...theirs, "main.0.weight": noise([4, 3, 4, 4]) })).toBeUndefined();
});

test("LeNet takes digits of 28 pixels", () => {
  const theirs = drawn({
    "convnet.c1.weight": [6, 1, 5, 5],
    "convnet.c1.bias": [6],
    "convnet.c3.weight": [16, 6, 5, 5],
    "convnet.c3.bias": [16],
    "convnet.c5.weight": [120, 16, 5, 5],
    "convnet.c5.bias": [120],
    "fc.f6.weight": [84, 120],
    "fc.f6.bias": [84],
    "fc.f7.weight": [10, 84],
    "fc.f7.bias": [10],
  });
  const mine = adopted(lenet, theirs);
  expect(mine.usage).toEqual({ task: "classify", size: 28, channels: 1, classes: 10 });
  expect(mine.weights["classes.weight"]).toBe(theirs["fc.f7.weight"]);
  expect(lenet.adopt!({ ...theirs, extra: noise([1]) })).toBeUndefined();
});
