import { z } from "zod";
import { relu } from "../engine/index.ts";
import { normal, zeros } from "../nn/initializers.ts";
import { conv2d } from "../nn/layers.ts";
import { defineModel } from "../nn/model.ts";

/**
 * SRCNN: three convolutions that sharpen a picture already enlarged by bicubic interpolation.
 * Dong et al., "Image Super-Resolution Using Deep Convolutional Networks", https://arxiv.org/abs/1501.00092, section 3.
 * The paper's sizes are 9-1-5 (8,129 numbers) and 9-5-5 (57,281), with 64 and 32 filters on the Y channel.
 * Differs from the paper: pictures are padded with zeros, so the output keeps the size of the input.
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
    const start = { initializer: normal(0.001), biasInitializer: zeros };
    x = relu(conv2d(x, p("extract"), { out: features, kernel: extract, ...start })); // [N, 64, H, W]
    x = relu(conv2d(x, p("map"), { out: mapped, kernel: map, ...start })); // [N, 32, H, W]
    return conv2d(x, p("rebuild"), { out: channels, kernel: rebuild, ...start }); // [N, C, H, W]
  },
});
