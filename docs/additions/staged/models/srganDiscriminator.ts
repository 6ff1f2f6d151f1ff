import { z } from "zod";
import { leakyRelu, reshape } from "../engine/index.ts";
import { conv2d, linear } from "../nn/layers.ts";
import { defineModel } from "../nn/model.ts";
import { batchNorm } from "../nn/norms.ts";
import { fromUnit } from "../nn/range.ts";

/** Channels, as multiples of the first layer's, and stride of the layers. */
const LAYERS = [[1, 1], [1, 2], [2, 1], [2, 2], [4, 1], [4, 2], [8, 1], [8, 2]] as const; // biome-ignore format: one line

/** The discriminator of SRGAN: RGB in 0…1 to raw scores [N, 1]. Ledig et al. 2017, https://arxiv.org/abs/1609.04802, figure 4. */
export const srganDiscriminator = defineModel({
  name: "srgan-discriminator",
  summary: "eight convolutions and two dense layers (Ledig et al. 2017)",
  paper: "https://arxiv.org/abs/1609.04802",
  options: z.object({
    size: z.int().min(16).max(512).default(96).describe("side of the patches it judges, in pixels"),
    width: z.int().min(1).max(512).default(64).describe("channels of the first layer; they double three times"),
  }),
  input: ({ size }) => [1, 3, size, size],
  build(x, p, { width }) {
    let y = fromUnit(x);
    for (const [at, [factor, stride]] of LAYERS.entries()) {
      const here = p(`conv.${at}`);
      y = conv2d(y, here, { out: factor * width, kernel: 3, stride, padding: 1 });
      y = leakyRelu(at === 0 ? y : batchNorm(y, here("norm")), 0.2); // [N, 8w, S/16, S/16] at last
    }
    const dense = leakyRelu(linear(reshape(y, [x.shape[0]!, -1]), p("dense"), { out: 16 * width }), 0.2);
    return linear(dense, p("score"), { out: 1 }); // [N, 1]
  },
});
