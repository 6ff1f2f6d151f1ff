import { z } from "zod";
import { concat, leakyRelu, type Node, reshape, tanh } from "../engine/index.ts";
import { embedding, linear } from "../nn/layers.ts";
import { defineModel, type Parameters } from "../nn/model.ts";
import { spectralNorm } from "../nn/norms.ts";
import { fromUnit, toUnit } from "../nn/range.ts";
import { generatorSizes, labelled, labelledNorm, pictureSizes, spectralOption } from "./parts.ts";
import { squareOf, stackOf } from "./stack.ts";

const PAPER = "https://arxiv.org/abs/1406.2661";

/** x [N, K] with an embedding of the label behind it: Mirza & Osindero 2014, https://arxiv.org/abs/1411.1784. */
function withLabel(x: Node, p: Parameters, classes: number, given: Readonly<Record<string, Node>>): Node {
  if (classes === 0) return x;
  return concat([x, embedding(given.label!, p("label"), { count: classes, width: 32 })], 1);
}

const widths = z.array(z.int().min(1).max(8192)).min(1).max(8);

/**
 * Dense generator, 100 → 64 → 128 → pixels; with classes it is the conditional GAN. Goodfellow et al. 2014. Classes
 * come in as gains and shifts of the normalizations: as numbers beside the noise they soon outweigh it, and a class is
 * one picture. Foreign weights are those of dense layers alone, with rectifiers between and a tanh at the end:
 * activations are not in a file, so they are assumed.
 */
export const ganGenerator = defineModel({
  name: "gan-generator",
  summary: "dense generator (Goodfellow et al. 2014; Mirza & Osindero 2014 with classes)",
  paper: PAPER,
  options: z.object({
    ...generatorSizes,
    hidden: widths.default([64, 128]).describe("numbers in each hidden layer"),
    norm: z.enum(["batch", "none"]).default("batch").describe("normalization of the hidden layers"),
    slope: z.number().min(0).max(1).default(0.2).describe("slope of the rectifiers below zero"),
  }),
  input: ({ latent }) => [1, latent],
  given: labelled,
  build(x, p, { size, channels, classes, hidden, norm, slope }, given) {
    let y = x;
    for (const [at, out] of hidden.entries()) {
      const here = p(`hidden.${at}`);
      y = linear(y, here("linear"), { out });
      y = leakyRelu(norm === "batch" ? labelledNorm(y, here("norm"), classes, given) : y, slope);
    }
    y = tanh(linear(y, p("picture"), { out: channels * size * size }));
    return reshape(toUnit(y), [x.shape[0]!, channels, size, size]);
  },
  adopt(weights) {
    const stack = stackOf(weights, (at, isLast) => (isLast ? "picture" : `hidden.${at}.linear`));
    const square = stack && squareOf(stack.widths.at(-1)!);
    if (!square) return undefined;
    const latent = stack.widths[0]!;
    return {
      options: { ...square, latent, hidden: stack.widths.slice(1, -1), norm: "none" as const, slope: 0 },
      weights: stack.weights,
      usage: { task: "generate", ...square, latent, classes: 0 },
    };
  },
});

/** Dense discriminator, pixels → 128 → 64 → 1: raw scores [N, 1] of pictures in 0…1. */
export const ganDiscriminator = defineModel({
  name: "gan-discriminator",
  summary: "dense discriminator (Goodfellow et al. 2014)",
  paper: PAPER,
  options: z.object({
    ...pictureSizes,
    classes: generatorSizes.classes,
    norm: spectralOption,
    hidden: widths.default([128, 64]).describe("numbers in each hidden layer"),
  }),
  input: ({ channels, size }) => [1, channels, size, size],
  given: labelled,
  build(x, p, { classes, hidden, norm }, given) {
    const normalize = norm === "spectral" ? { normalize: spectralNorm } : {};
    let y = withLabel(reshape(fromUnit(x), [x.shape[0]!, -1]), p, classes, given);
    for (const [at, out] of hidden.entries()) y = leakyRelu(linear(y, p(`hidden.${at}`), { out, ...normalize }), 0.2);
    return linear(y, p("score"), { out: 1, ...normalize });
  },
  adopt(weights) {
    const stack = stackOf(weights, (at, isLast) => (isLast ? "score" : `hidden.${at}`));
    const square = stack?.widths.at(-1) === 1 ? squareOf(stack.widths[0]!) : undefined;
    if (!stack || !square) return undefined;
    const options = { ...square, hidden: stack.widths.slice(1, -1) };
    return { options, weights: stack.weights, usage: { task: "discriminate", ...square } };
  },
});
