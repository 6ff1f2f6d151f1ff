import { z } from "zod";
import { patches } from "../data/patches.ts";
import { add, mul, stopGradient } from "../engine/index.ts";
import { srganDiscriminator } from "../models/srganDiscriminator.ts";
import { srresnet } from "../models/srresnet.ts";
import { logistic, mse } from "../nn/losses.ts";
import { network } from "../nn/model.ts";
import { adam } from "../nn/optimizers.ts";
import { perceptual } from "../nn/perceptual.ts";
import { constantRate, stepRate } from "../nn/schedules.ts";
import { defineRecipe, frozen, modelOption, move } from "./recipe.ts";

const { scale, width, blocks } = srresnet.options.shape;

/**
 * SRGAN, Ledig et al. 2017, https://arxiv.org/abs/1609.04802: the generator learns by mean squared error first, then against a
 * discriminator and by the features of a network that does not move. Without `features` the distance is that of pixels, which
 * the paper calls SRGAN-MSE.
 */
export const srgan = defineRecipe({
  name: "srgan",
  summary: "super-resolution against a discriminator (Ledig et al. 2017)",
  paper: "https://arxiv.org/abs/1609.04802",
  options: z.object({
    scale,
    width,
    blocks,
    side: z.int().min(4).max(128).default(24).describe("side of a small patch, in pixels"),
    batch: z.int().min(1).max(256).default(16).describe("patches per step"),
    features: modelOption("embed").optional().describe("network whose features are compared; pixels unless given"),
    pretrainSteps: z.int().min(1).max(10_000_000).default(100_000).describe("steps by mean squared error alone"),
    weight: z.number().min(0).max(1).default(1e-3).describe("weight of the adversarial loss"),
    learningRate: z.number().positive().max(1).default(1e-4).describe("learning rate; a tenth in the second half"),
  }),
  networks: ({ scale, width, blocks, side }, { features }) => ({
    generator: network(srresnet, { scale, width, blocks }, "generator"),
    discriminator: network(srganDiscriminator, { size: side * scale, width }, "discriminator"),
    ...(features && { vgg: frozen(features, "vgg") }),
  }),
  data: ({ scale, side, batch }) => patches({ scale, patch: side * scale, batch, color: "rgb", input: "lr" }),
  results: ({ scale }) => ({ generator: { task: "upscale", scale, color: "rgb", input: "lr" } }),
  stages: ({ pretrainSteps, weight, learningRate }) => [
    {
      name: "pretrain",
      steps: pretrainSteps,
      step({ generator }, { input, target }) {
        const loss = mse(generator(input, { training: true }), target);
        return { turns: { generator: move(generator, loss, { optimizer: adam(), rate: constantRate(learningRate) }) } };
      },
    },
    {
      name: "adversarial",
      step({ generator, discriminator, vgg }, { input, target }, steps) {
        const made = generator(input, { training: true }); // [N, 3, sH, sW]
        const judge = (picture: typeof made) => discriminator(picture, { training: true });
        const judged = add(logistic(judge(target), true), logistic(judge(stopGradient(made)), false));
        const content = vgg ? perceptual(vgg, made, target) : mse(made, target);
        const fooled = add(content, mul(logistic(judge(made), true), weight));
        const how = { optimizer: adam(), rate: stepRate(learningRate, { after: [steps / 2] }) };
        return {
          turns: {
            discriminator: move(discriminator, judged, how),
            generator: move(generator, fooled, how),
          },
          metrics: { content: stopGradient(content) },
        };
      },
    },
  ],
});
