import { z } from "zod";
import { pairs } from "../data/pairs.ts";
import { add, concat, mul, type Node, stopGradient } from "../engine/index.ts";
import { patchGan } from "../models/patchGan.ts";
import { unet } from "../models/unet.ts";
import { l1, logistic } from "../nn/losses.ts";
import { network } from "../nn/model.ts";
import { adam } from "../nn/optimizers.ts";
import { linearDecay } from "../nn/schedules.ts";
import { defineRecipe, type Move, move } from "./recipe.ts";

const { channels, width } = unet.options.shape;
/** Those of the generator that the discriminator takes, too: its scores begin at 32 pixels. */
const size = z.literal([32, 64, 128, 256, 512]).default(256).describe("side of the pictures, in pixels");

/**
 * pix2pix: pictures into others by pairs. The conditional discriminator moves, at half its loss, then the generator against it and
 * towards the target. Isola et al. 2017, https://arxiv.org/abs/1611.07004, sections 3.1 and 3.3. λ is stated for pictures in
 * −1…1, as in the paper. The rate falls in a straight line over the second half, as in the authors' code.
 */
export const pix2pix = defineRecipe({
  name: "pix2pix",
  summary: "pictures into others, learned from pairs (Isola et al. 2017)",
  paper: "https://arxiv.org/abs/1611.07004",
  options: z.object({
    size,
    channels,
    width,
    direction: z
      .enum(["ab", "ba"])
      .default("ab")
      .describe("half that is given: ab the first or left one, ba the other"),
    from: z.string().min(1).max(40).default("source").describe("what goes in, in a word: edges"),
    to: z.string().min(1).max(40).default("target").describe("what comes out, in a word: shoes"),
    lambda: z.number().min(0).max(10_000).default(100).describe("weight λ of the distance from the target"),
    jitter: z.boolean().default(false).describe("enlarge pairs by 30/256 and cut them at random"),
    flip: z.boolean().default(false).describe("mirror half of the pairs"),
    batch: z.int().min(1).max(256).default(1).describe("pairs per step"),
    learningRate: z.number().positive().max(1).default(2e-4).describe("learning rate of both networks"),
  }),
  networks: ({ size, channels, width }) => ({
    generator: network(unet, { size, channels, width }, "generator"),
    discriminator: network(patchGan, { channels: 2 * channels, width }, "discriminator"),
  }),
  data: ({ size, channels, batch, direction, jitter, flip }) =>
    pairs({ size, channels, batch, direction, jitter, flip }),
  results: ({ size, channels, from, to, direction }) => ({
    generator: { task: "translate", from, to, size, channels, pairs: direction },
  }),
  step({ generator, discriminator }, { source, target }, { lambda, learningRate }, steps) {
    const made = generator(source, { training: true }); // [N, C, S, S], 0…1
    const judge = (picture: Node): Node => discriminator(concat([source, picture], 1), { training: true });
    const judged = mul(add(logistic(judge(target), true), logistic(judge(stopGradient(made)), false)), 0.5);
    const distance = l1(made, target); // of 0…1: half as large as in −1…1
    const fooled = add(logistic(judge(made), true), mul(distance, 2 * lambda));
    const rate = linearDecay(learningRate, { from: steps / 2, steps });
    const how: Move = { optimizer: adam({ beta1: 0.5 }), rate };
    return {
      turns: {
        discriminator: move(discriminator, judged, how),
        generator: move(generator, fooled, how),
      },
      metrics: { distance: stopGradient(distance) },
    };
  },
});
