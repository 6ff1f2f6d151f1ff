import { z } from "zod";
import { examples } from "../data/examples.ts";
import { add, input, mean, mul, type Node, stopGradient } from "../engine/index.ts";
import { stylegan2Discriminator, stylegan2Generator, stylesOf } from "../models/stylegan2.ts";
import { network } from "../nn/model.ts";
import { adam } from "../nn/optimizers.ts";
import { constantRate } from "../nn/schedules.ts";
import { adversarial, adversarialOptions, adversarialStep, averageDecay, firstRows, shareOf } from "./adversarial.ts";
import { defineRecipe, type Move } from "./recipe.ts";

/**
 * StyleGAN2, Karras et al. 2020: R1, path length regularization, style mixing and a moving average of the generator.
 * Penalties are lazy in another way than the paper's: not on every picture at every 16th step but on every 16th picture
 * at every step, which costs and expects the same and keeps the step one graph.
 */
export const stylegan2 = defineRecipe({
  name: "stylegan2",
  summary: "style-based GAN (Karras et al. 2020)",
  paper: "https://arxiv.org/abs/1912.04958",
  options: z.object({
    ...stylegan2Generator.options.shape,
    norm: stylegan2Discriminator.options.shape.norm,
    ...adversarialOptions,
    r1: adversarialOptions.r1.default(0.1),
    lazy: adversarialOptions.lazy.default(16),
    pathLength: z.number().min(0).max(1000).default(2).describe("weight of the path length penalty; 0 for none"),
    batch: z.int().min(2).max(1024).default(32).describe("pictures per step"),
    learningRate: z.number().positive().max(1).default(2e-3).describe("learning rate of both networks"),
  }),
  networks({ size, channels, latent, classes, width, most, mapping, mixing, norm }) {
    const shared = { size, channels, classes, width, most };
    return {
      generator: network(stylegan2Generator, { ...shared, latent, mapping, mixing }, "generator"),
      discriminator: network(stylegan2Discriminator, { ...shared, norm }, "discriminator"),
    };
  },
  data: ({ size, channels, batch, classes, flip }) => examples({ size, channels, batch, classes, flip }),
  results: ({ size, channels, latent, classes }) => ({
    generator: { task: "generate", size, channels, latent, classes, styles: stylesOf(size) },
  }),
  step({ generator, discriminator }, { image, label }, options) {
    const { latent, pathLength, lazy, learningRate } = options;
    const how: Move = { optimizer: adam({ beta1: 0, beta2: 0.99 }), rate: constantRate(learningRate) };
    const scores = adversarial({ generator, discriminator, image, label, latent }, options);
    if (pathLength === 0) return adversarialStep({ generator, discriminator }, scores, how);
    const count = shareOf(image.shape[0]!, lazy / 2); // the paper: half a batch at every fourth step
    const codes = input("path codes", [count, latent], { noise: "normal" });
    const given: Record<string, Node> = label ? { label: firstRows(label, count) } : {};
    const path = mean(generator.part("path", codes, { training: true, given }));
    const smooth = {
      ...scores,
      generator: add(scores.generator, mul(path, pathLength)),
      metrics: { ...scores.metrics, path: stopGradient(path) },
    };
    return adversarialStep({ generator, discriminator }, smooth, how);
  },
  emaDecay: averageDecay,
});
