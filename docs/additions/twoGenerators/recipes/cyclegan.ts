import { z } from "zod";
import { unpaired } from "../data/unpaired.ts";
import { add, mul, type Node } from "../engine/index.ts";
import { patchGan } from "../models/patchGan.ts";
import { resnetGenerator } from "../models/resnetGenerator.ts";
import { imagePool } from "../nn/imagePool.ts";
import { l1, leastSquares } from "../nn/losses.ts";
import { type Network, network } from "../nn/model.ts";
import { adam } from "../nn/optimizers.ts";
import { linearDecay } from "../nn/schedules.ts";
import { defineRecipe, move } from "./recipe.ts";

const { channels, width, blocks } = resnetGenerator.options.shape;
const call = { training: true };
const sum = (...terms: readonly Node[]): Node => terms.reduce((a, b) => add(a, b));

/** Half of the least squares loss of real pictures and of earlier made ones. */
const judged = (network: Network, real: Node, made: Node): Node =>
  mul(add(leastSquares(network(real, call), true), leastSquares(network(made, call), false)), 0.5);

/**
 * CycleGAN: pictures of one kind into those of another and back, without pairs. Zhu et al. 2017,
 * https://arxiv.org/abs/1703.10593, sections 3 and 4: both generators move by one loss, then each discriminator by pictures of a
 * pool. λ is stated for pictures in −1…1, as in the paper; the identity loss is half of it, as in the authors' code.
 */
export const cyclegan = defineRecipe({
  name: "cyclegan",
  summary: "pictures into others and back, learned without pairs (Zhu et al. 2017)",
  paper: "https://arxiv.org/abs/1703.10593",
  options: z.object({
    size: z.int().min(32).max(512).multipleOf(4).default(256).describe("side of the pictures, in pixels"),
    channels,
    width,
    blocks,
    a: z.string().min(1).max(40).default("a").describe("the first kind of picture, in a word: horses"),
    b: z.string().min(1).max(40).default("b").describe("the other kind, in a word: zebras"),
    lambda: z.number().min(0).max(1000).default(10).describe("weight λ of the way there and back"),
    identity: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe("weight, as a share of λ, of leaving pictures of the goal alone"),
    pool: z.int().min(1).max(1000).default(50).describe("earlier pictures that are kept for each discriminator"),
    flip: z.boolean().default(true).describe("mirror half of the pictures"),
    batch: z.int().min(1).max(64).default(1).describe("pictures of each kind per step"),
    learningRate: z.number().positive().max(1).default(2e-4).describe("learning rate of all networks"),
  }),
  networks({ size, channels, width, blocks, pool }) {
    const generator = (key: string) => network(resnetGenerator, { channels, width, blocks }, key);
    const discriminator = (key: string) => network(patchGan, { channels, width }, key);
    const history = (key: string) => network(imagePool, { count: pool, channels, size }, key);
    return {
      ab: generator("ab"),
      ba: generator("ba"),
      judgeA: discriminator("judgeA"),
      judgeB: discriminator("judgeB"),
      poolA: history("poolA"),
      poolB: history("poolB"),
    };
  },
  data: ({ size, channels, batch, flip }) => unpaired({ size, channels, batch, flip }),
  results: ({ a, b, size, channels }) => ({
    ab: { task: "translate", from: a, to: b, size, channels },
    ba: { task: "translate", from: b, to: a, size, channels },
  }),
  step({ ab, ba, judgeA, judgeB, poolA, poolB }, { a, b }, { lambda, identity, learningRate }, steps) {
    const [madeB, madeA] = [ab(a, call), ba(b, call)];
    const cycle = add(l1(ba(madeB, call), a), l1(ab(madeA, call), b)); // of 0…1: half as large as in −1…1
    const same = add(l1(ab(b, call), b), l1(ba(a, call), a));
    const fooled = add(leastSquares(judgeB(madeB, call), true), leastSquares(judgeA(madeA, call), true));
    const loss = sum(fooled, mul(cycle, 2 * lambda), mul(same, 2 * lambda * identity));
    const how = { optimizer: adam({ beta1: 0.5 }), rate: linearDecay(learningRate, { from: steps / 2, steps }) };
    return {
      turns: {
        generators: move([ab, ba], loss, how),
        judgeA: move(judgeA, judged(judgeA, a, poolA(madeA, call)), how),
        judgeB: move(judgeB, judged(judgeB, b, poolB(madeB, call)), how),
      },
      metrics: { cycle },
      shown: { ab: madeB, ba: madeA },
    };
  },
});
