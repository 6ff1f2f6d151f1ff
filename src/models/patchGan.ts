import { z } from "zod";
import { leakyRelu } from "../engine/index.ts";
import { normal, zeros } from "../nn/initializers.ts";
import { conv2d } from "../nn/layers.ts";
import { defineModel } from "../nn/model.ts";
import { instanceNorm } from "../nn/norms.ts";
import { fromUnit } from "../nn/range.ts";

const layer = { kernel: 4, padding: 1, initializer: normal(0.02), biasInitializer: zeros } as const;

/**
 * PatchGAN, the discriminator of pix2pix: planes in 0…1 to raw scores [N, 1, h, w], each of a patch of 70×70 pixels
 * (256 pixels give 30 scores a side). Isola et al. 2017, appendix 6.1.2. A conditional one sees the input picture and
 * the judged one as six planes. Normalization is by instance, which the paper's is at its batch of 1.
 */
export const patchGan = defineModel({
  name: "patch-gan",
  summary: "discriminator of 70×70 patches (Isola et al. 2017)",
  paper: "https://arxiv.org/abs/1611.07004",
  options: z.object({
    channels: z
      .int()
      .min(1)
      .max(12)
      .default(6)
      .describe("planes it sees: those of the input picture and the judged one"),
    width: z.int().min(1).max(512).default(64).describe("channels of the first layer; they double three times"),
  }),
  input: ({ channels }) => [1, channels, 70, 70],
  build(x, p, { width }) {
    let y = fromUnit(x);
    for (const [at, stride] of [2, 2, 2, 1].entries()) {
      const here = p(`down.${at}`);
      y = conv2d(y, here("conv"), { ...layer, out: width * 2 ** at, stride, bias: at === 0 });
      // [N, 8w, S/8 − 1, S/8 − 1] at last
      y = leakyRelu(at === 0 ? y : instanceNorm(y, here("norm"), { affine: true }), 0.2);
    }
    return conv2d(y, p("score"), { ...layer, out: 1 }); // [N, 1, S/8 − 2, S/8 − 2]
  },
});
