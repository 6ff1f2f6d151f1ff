import { z } from "zod";
import { add, leakyRelu, mul, type Node, relu, reshape, resize, sum, tanh } from "../engine/index.ts";
import { normal } from "../nn/initializers.ts";
import { conv2d, convTranspose2d, embedding, linear } from "../nn/layers.ts";
import { defineModel, type Parameters } from "../nn/model.ts";
import { batchNorm, spectralNorm } from "../nn/norms.ts";
import { fromUnit, generatorSizes, labelled, labelledNorm, pictureSizes, toUnit } from "./gan.ts";

const PAPER = "https://arxiv.org/abs/1511.06434";
const initializer = normal(0.02);
const sizes = {
  ...pictureSizes,
  size: z.literal([28, 32, 64]).default(32).describe("side of the pictures, in pixels"),
  width: z.int().min(4).max(512).default(64).describe("channels at half the size; they double with each halving"),
  classes: generatorSizes.classes,
};

/** Sides and channels from the smallest map to half the size: 28 is 7, 14; 32 is 4, 8, 16; 64 is 4, 8, 16, 32. */
function stages(size: number, width: number): readonly { readonly side: number; readonly channels: number }[] {
  const sides: number[] = [];
  for (let side = size / 2; side >= 4 && Number.isInteger(side); side /= 2) sides.unshift(side);
  return sides.map((side) => ({ side, channels: (width * size) / 2 / side }));
}

/** Twice as large: a transposed convolution, or nearest-neighbor and a convolution (Odena et al. 2016, no checkerboard). */
function grow(
  x: Node,
  p: Parameters,
  out: number,
  { up, bias }: { readonly up: string; readonly bias: boolean },
): Node {
  if (up === "transposed")
    return convTranspose2d(x, p, { out, kernel: 4, stride: 2, padding: [1, 1, 1, 1], bias, initializer });
  const [height, width] = [2 * x.shape[2]!, 2 * x.shape[3]!];
  return conv2d(resize(x, { height, width }, { mode: "nearest" }), p, { out, kernel: 3, bias, initializer });
}

/** DCGAN's generator: noise [N, latent] to pictures in 0…1. Radford et al. 2016. */
export const dcganGenerator = defineModel({
  name: "dcgan-generator",
  summary: "convolutional generator (Radford et al. 2016)",
  paper: PAPER,
  options: z.object({
    ...sizes,
    latent: generatorSizes.latent,
    up: z
      .enum(["transposed", "resize"])
      .default("transposed")
      .describe("how maps grow: transposed or resize-convolution"),
  }),
  input: ({ latent }) => [1, latent],
  given: labelled,
  build(x, p, { size, channels, width, classes, up }, given) {
    const [first, ...rest] = stages(size, width) as [ReturnType<typeof stages>[0], ...ReturnType<typeof stages>];
    const { side, channels: out } = first;
    const norm = (y: Node, at: Parameters): Node => relu(labelledNorm(y, at, classes, given));
    let y = linear(x, p("seed"), { out: out * side * side, bias: false, initializer });
    y = norm(reshape(y, [x.shape[0]!, out, side, side]), p("seed.norm"));
    for (const [at, stage] of rest.entries()) {
      const here = p(`up.${at}`);
      y = norm(grow(y, here("conv"), stage.channels, { up, bias: false }), here("norm"));
    }
    return toUnit(tanh(grow(y, p("picture"), channels, { up, bias: true }))); // [N, C, S, S]
  },
});

/**
 * DCGAN's discriminator: pictures in 0…1 to raw scores [N, 1]. With classes the score has a projection of the label's embedding
 * on the features, Miyato & Koyama 2018, https://arxiv.org/abs/1802.05637.
 */
export const dcganDiscriminator = defineModel({
  name: "dcgan-discriminator",
  summary: "convolutional discriminator (Radford et al. 2016)",
  paper: PAPER,
  options: z.object({
    ...sizes,
    norm: z
      .enum(["batch", "spectral", "none"])
      .default("batch")
      .describe("batch or spectral normalization of the discriminator's convolutions, or none"),
  }),
  input: ({ channels, size }) => [1, channels, size, size],
  given: labelled,
  build(x, p, { size, width, classes, norm }, given) {
    let y = fromUnit(x);
    const normalize = norm === "spectral" ? spectralNorm : undefined;
    for (const [at, { channels }] of [...stages(size, width)].reverse().entries()) {
      const [here, isNormed] = [p(`down.${at}`), norm === "batch" && at > 0];
      const options = {
        out: channels,
        kernel: 4,
        stride: 2,
        padding: [1, 1, 1, 1],
        bias: !isNormed,
        initializer,
        ...(normalize && { normalize }),
      } as const;
      y = conv2d(y, here("conv"), options);
      y = leakyRelu(isNormed ? batchNorm(y, here("norm")) : y, 0.2);
    }
    const flat = reshape(y, [x.shape[0]!, -1]);
    const score = linear(flat, p("score"), { out: 1, initializer, ...(normalize && { normalize }) });
    if (classes === 0) return score;
    const chosen = embedding(given.label!, p("label"), { count: classes, width: flat.shape[1]! });
    return add(score, mul(sum(mul(flat, chosen), [1], true), 1 / Math.sqrt(flat.shape[1]!)));
  },
});
