import { z } from "zod";
import { examples } from "../data/examples.ts";
import { add, input, mul, type Node, reshape, sqrt, sub } from "../engine/index.ts";
import { diffusionUnet } from "../models/diffusionUnet.ts";
import { mse } from "../nn/losses.ts";
import { type Network, network } from "../nn/model.ts";
import { alphaBarOf } from "../nn/noiseSchedule.ts";
import { adam } from "../nn/optimizers.ts";
import { fromUnit } from "../nn/range.ts";
import { constantRate, warmUp } from "../nn/schedules.ts";
import { defineRecipe, move } from "./recipe.ts";

/**
 * L_simple: the mean squared error of the noise that a network finds in pictures at random times. Ho et al. 2020, equation 14
 * and algorithm 1. @param image [N, C, S, S] in 0…1
 */
export function noiseLoss(network: Network, image: Node): Node {
  const count = image.shape[0]!;
  const time = input("time", [count], { noise: "uniform" }); // 0…1, in place of one of a thousand whole steps
  const epsilon = input("noise", image.shape, { noise: "normal" });
  const alphaBar = reshape(alphaBarOf(time), [count, 1, 1, 1]);
  const x = add(mul(fromUnit(image), sqrt(alphaBar)), mul(epsilon, sqrt(sub(1, alphaBar)))); // equation 4
  return mse(network(x, { training: true, given: { time: mul(time, 1000) } }), epsilon);
}

const { size, channels, width, multipliers, blocks, attention, dropout } = diffusionUnet.options.shape;

/**
 * Denoising diffusion, Ho et al. 2020: a U-Net that finds the noise in a picture, from which samplers make pictures. The defaults
 * are a network that two cores can train; the paper's for CIFAR-10 is `width` 128, `multipliers` 1,2,2,2, `batch` 128. Differs
 * from the paper: times are continuous, of which its thousand steps are a grid.
 */
export const ddpm = defineRecipe({
  name: "ddpm",
  summary: "denoising diffusion (Ho et al. 2020)",
  paper: "https://arxiv.org/abs/2006.11239",
  options: z.object({
    size,
    channels,
    width: width.default(32),
    multipliers: multipliers.default([1, 2, 2]),
    blocks: blocks.default(1),
    attention: attention.default([8]),
    dropout: dropout.default(0),
    flip: z.boolean().default(false).describe("mirror half of the pictures"),
    batch: z.int().min(1).max(1024).default(32).describe("pictures per step"),
    learningRate: z.number().positive().max(1).default(5e-4).describe("learning rate"),
    warmUp: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(200)
      .describe("steps over which the learning rate rises to its value"),
    ema: z
      .number()
      .min(0)
      .max(0.99999)
      .default(0.999)
      .describe("decay of the moving average of the weights, per step; 0 for none"),
  }),
  networks: ({ size, channels, width, multipliers, blocks, attention, dropout }) => ({
    diffusion: network(diffusionUnet, { size, channels, width, multipliers, blocks, attention, dropout }, "diffusion"),
  }),
  data: ({ size, channels, batch, flip }) => examples({ size, channels, batch, flip }),
  results: ({ size, channels }) => ({
    diffusion: { task: "generate", size, channels, latent: channels * size ** 2, classes: 0, diffusion: "noise" },
  }),
  step({ diffusion }, { image }, { learningRate, warmUp: steps }) {
    const rate = warmUp(constantRate(learningRate), { steps });
    return { turns: { diffusion: move(diffusion, noiseLoss(diffusion, image), { optimizer: adam(), rate }) } };
  },
  emaDecay: ({ ema }, step) => (ema === 0 ? undefined : Math.min(ema, (1 + step) / (10 + step))),
});
