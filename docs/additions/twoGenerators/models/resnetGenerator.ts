import { z } from "zod";
import { add, type Node, pad, relu, tanh } from "../engine/index.ts";
import { normal, zeros } from "../nn/initializers.ts";
import { type ConvOptions, conv2d, convTranspose2d } from "../nn/layers.ts";
import { defineModel, type Parameters } from "../nn/model.ts";
import { instanceNorm } from "../nn/norms.ts";
import { fromUnit, toUnit } from "../nn/range.ts";

const drawn = { initializer: normal(0.02), biasInitializer: zeros } as const;

const mirrored = (x: Node, by: number): Node => pad(x, [[0, 0], [0, 0], [by, by], [by, by]], { mode: "reflect" }); // biome-ignore format: one line

/** A convolution on a mirrored border, which leaves the size as it is. */
const framed = (x: Node, p: Parameters, options: ConvOptions & { readonly kernel: number }): Node =>
  conv2d(mirrored(x, (options.kernel - 1) / 2), p, { ...drawn, padding: 0, ...options });

function residual(x: Node, p: Parameters): Node {
  const out = x.shape[1]!;
  const y = relu(instanceNorm(framed(x, p("conv1"), { out, kernel: 3 }), p));
  return add(x, instanceNorm(framed(y, p("conv2"), { out, kernel: 3 }), p));
}

/**
 * The generator of CycleGAN: halved twice, residual blocks, doubled twice. Pictures in 0…1 to pictures in 0…1, of sides that are
 * multiples of 4. Zhu et al. 2017, https://arxiv.org/abs/1703.10593, appendix 7.2; Johnson et al. 2016.
 */
export const resnetGenerator = defineModel({
  name: "resnet-generator",
  summary: "residual blocks at a quarter of the size, the generator of CycleGAN (Zhu et al. 2017)",
  paper: "https://arxiv.org/abs/1703.10593",
  options: z.object({
    channels: z.literal([1, 3]).default(3).describe("planes per picture: 1 gray, 3 RGB"),
    width: z.int().min(1).max(512).default(64).describe("channels at full size; they double twice"),
    blocks: z.int().min(1).max(32).default(9).describe("residual blocks: the paper has 6 for 128 pixels, 9 for 256"),
  }),
  input: ({ channels }) => [1, channels, 32, 32],
  build(x, p, { channels, width, blocks }) {
    let y = relu(instanceNorm(framed(fromUnit(x), p("head"), { out: width, kernel: 7 }), p)); // [N, w, H, W]
    for (const level of [1, 2]) {
      const down = { ...drawn, out: width * 2 ** level, kernel: 3, stride: 2, padding: 1 };
      y = relu(instanceNorm(conv2d(y, p(`down.${level}`), down), p)); // [N, 4w, H/4, W/4] at last
    }
    for (let at = 0; at < blocks; at++) y = residual(y, p(`body.${at}`));
    for (const level of [1, 0]) {
      const up = { ...drawn, out: width * 2 ** level, kernel: 3, stride: 2, padding: 1, outputPadding: 1 };
      y = relu(instanceNorm(convTranspose2d(y, p(`up.${level}`), up), p)); // [N, w, H, W] at last
    }
    return toUnit(tanh(framed(y, p("picture"), { out: channels, kernel: 7 }))); // [N, C, H, W]
  },
});
