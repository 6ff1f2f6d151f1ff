import { z } from "zod";
import { maxPool, type Node, relu, reshape } from "../engine/index.ts";
import { conv2d, dropout, linear } from "../nn/layers.ts";
import { defineModel, type Parameters } from "../nn/model.ts";
import { batchNorm } from "../nn/norms.ts";

interface Options {
  readonly size: number;
  readonly channels: 1 | 3;
  readonly classes: number;
  readonly features: number;
}

/** [N, C, S, S] in 0…1 to [N, features]: two stages of two convolutions, halved by pooling. */
function extract(x: Node, p: Parameters, { features }: Options): Node {
  let y = x;
  for (const [stage, out] of [16, 32].entries()) {
    for (const at of [0, 1]) {
      const here = p(`stage.${stage}.${at}`);
      y = relu(batchNorm(conv2d(y, here("conv"), { out, kernel: 3, bias: false }), here("norm")));
    }
    y = maxPool(y, { kernel: 2, stride: 2 }); // [N, 16, S/2, S/2], [N, 32, S/4, S/4]
  }
  y = dropout(reshape(y, [x.shape[0]!, -1]), p("dropout"), { probability: 0.4 });
  return relu(linear(y, p("features"), { out: features }));
}

/**
 * A small convolutional classifier: the judge of generated digits. The part "features" is what FID and KID are measured
 * on.
 */
export const classifier = defineModel({
  name: "classifier",
  summary: "a small convolutional classifier, the judge of generated pictures",
  paper: "https://doi.org/10.1109/5.726791",
  options: z.object({
    size: z.int().min(8).max(64).default(28).describe("side of the pictures, in pixels"),
    channels: z.literal([1, 3]).default(1).describe("planes per picture: 1 gray, 3 RGB"),
    classes: z.int().min(2).max(1000).default(10).describe("classes to tell apart"),
    features: z.int().min(2).max(1024).default(128).describe("numbers before the last layer"),
  }),
  input: ({ channels, size }) => [1, channels, size, size],
  build: (x, p, options) => linear(extract(x, p, options), p("classes"), { out: options.classes }),
  parts: { features: extract },
});
