import { z } from "zod";
import { add, relu, sub } from "../engine/index.ts";
import { identity, kaiming, normal, zeros } from "../nn/initializers.ts";
import { conv2d } from "../nn/layers.ts";
import { defineModel } from "../nn/model.ts";
import type { Shape } from "../tensor/tensor.ts";

/** What other programs call the three layers: titu1994's Keras files, and the usual PyTorch scripts. */
const FOREIGN = [
  ["level1", "level2", "output"],
  ["conv1", "conv2", "conv3"],
] as const;

const start = (place: "first" | "between", planes: number, channels: number, kernel: number) => ({
  initializer: identity(place, planes, kaiming([1, channels, kernel, kernel])),
  biasInitializer: zeros,
});

/**
 * SRCNN: three convolutions that sharpen a picture already enlarged by bicubic interpolation.
 * Dong et al., "Image Super-Resolution Using Deep Convolutional Networks", https://arxiv.org/abs/1501.00092, section 3.
 * The paper's sizes are 9-1-5 (8,129 numbers) and 9-5-5 (57,281), with 64 and 32 filters on the Y channel.
 * Differs from the paper: pictures are padded, so the output keeps the size of the input; a middle gray (`center`)
 * counts as zero, which inside the picture is the same network with other biases and lets the padding be gray instead
 * of black; and the first weights hand the picture through, instead of N(0, 0.001). The last two make learning several
 * times faster.
 */
export const srcnn = defineModel({
  name: "srcnn",
  summary: "three convolutions that sharpen a bicubic enlargement (Dong et al. 2014)",
  paper: "https://arxiv.org/abs/1501.00092",
  options: z.object({
    channels: z.literal([1, 3]).default(1).describe("planes per picture: 1 for Y only, 3 for RGB"),
    features: z.int().min(1).max(512).default(64).describe("filters of the first layer"),
    mapped: z.int().min(1).max(512).default(32).describe("filters of the second layer"),
    kernels: z
      .tuple([z.int().min(1).max(15), z.int().min(1).max(15), z.int().min(1).max(15)])
      .default([9, 5, 5])
      .describe("side of the three kernels, odd, in pixels"),
    center: z.number().min(0).max(1).default(0.45).describe("gray that counts as zero inside the network, 0…1"),
  }),
  input: ({ channels }) => [1, channels, 32, 32],
  build(x, p, { channels, features, mapped, kernels: [extract, map, rebuild], center }) {
    const [first, between] = [start("first", channels, channels, extract), start("between", channels, features, map)];
    const last = { initializer: identity("last", channels, normal(0.001)), biasInitializer: zeros };
    x = relu(conv2d(sub(x, center), p("extract"), { out: features, kernel: extract, ...first })); // [N, 64, H, W]
    x = relu(conv2d(x, p("map"), { out: mapped, kernel: map, ...between })); // [N, 32, H, W]
    return add(conv2d(x, p("rebuild"), { out: channels, kernel: rebuild, ...last }), center); // [N, C, H, W]
  },
  adopt(weights) {
    const names = FOREIGN.find(([first]) => `${first}.weight` in weights);
    const shapes = names?.map((name) => weights[`${name}.weight`]?.shape ?? []);
    if (!names || !shapes?.every((shape) => shape.length === 4) || Object.keys(weights).length !== 6) return undefined;
    const [extract, map, rebuild] = shapes as unknown as readonly [Shape, Shape, Shape];
    const renamed = ["extract", "map", "rebuild"].flatMap((ours, layer) =>
      ["weight", "bias"].map((part) => [`${ours}.${part}`, weights[`${names[layer]}.${part}`]!]),
    );
    return {
      options: {
        channels: extract[1] as 1 | 3,
        features: extract[0]!,
        mapped: map[0]!,
        kernels: [extract[2]!, map[2]!, rebuild[2]!] as [number, number, number],
        center: 0,
      },
      weights: Object.fromEntries(renamed),
      usage: { task: "upscale", color: extract[1] === 1 ? "y" : "rgb", input: "enlarged" },
    };
  },
});
