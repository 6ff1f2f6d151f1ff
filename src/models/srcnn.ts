import { z } from "zod";
import { relu } from "../engine/index.ts";
import { kaiming, normal, zeros } from "../nn/initializers.ts";
import { conv2d } from "../nn/layers.ts";
import { defineModel } from "../nn/model.ts";
import type { Shape } from "../tensor/tensor.ts";

/** What other programs call the three layers: titu1994's Keras files, and the usual PyTorch scripts. */
const FOREIGN = [
  ["level1", "level2", "output"],
  ["conv1", "conv2", "conv3"],
] as const;

const start = (channels: number, kernel: number) => ({
  initializer: kaiming([1, channels, kernel, kernel]),
  biasInitializer: zeros,
});
const faint = { initializer: normal(0.001), biasInitializer: zeros };

/**
 * SRCNN: three convolutions that sharpen a picture already enlarged by bicubic interpolation.
 * Dong et al., "Image Super-Resolution Using Deep Convolutional Networks", https://arxiv.org/abs/1501.00092, section 3.
 * The paper's sizes are 9-1-5 (8,129 numbers) and 9-5-5 (57,281), with 64 and 32 filters on the Y channel.
 * Differs from the paper: pictures are padded with zeros, so the output keeps the size of the input, and first weights of
 * the first two layers are Kaiming's instead of N(0, 0.001).
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
  }),
  input: ({ channels }) => [1, channels, 32, 32],
  build(x, p, { channels, features, mapped, kernels: [extract, map, rebuild] }) {
    x = relu(conv2d(x, p("extract"), { out: features, kernel: extract, ...start(channels, extract) })); // [N, 64, H, W]
    x = relu(conv2d(x, p("map"), { out: mapped, kernel: map, ...start(features, map) })); // [N, 32, H, W]
    return conv2d(x, p("rebuild"), { out: channels, kernel: rebuild, ...faint }); // [N, C, H, W]
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
      },
      weights: Object.fromEntries(renamed),
      color: extract[1] === 1 ? "y" : "rgb",
    };
  },
});
