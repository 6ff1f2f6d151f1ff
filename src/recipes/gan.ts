import { z } from "zod";
import { examples } from "../data/examples.ts";
import { ganDiscriminator, ganGenerator } from "../models/gan.ts";
import { generatorSizes, spectralOption } from "../models/parts.ts";
import { network } from "../nn/model.ts";
import { adversarialOptions, averageDecay, plainStep } from "./adversarial.ts";
import { defineRecipe } from "./recipe.ts";

const options = z.object({
  ...generatorSizes,
  norm: spectralOption,
  ...adversarialOptions,
  batch: z.int().min(2).max(4096).default(128).describe("pictures per step"),
  learningRate: z.number().positive().max(1).default(2e-4).describe("learning rate of both networks"),
});

/** The dense GAN of Goodfellow et al. 2014 in the widespread tutorial's sizes, with Adam (β₁ = 0.5). */
export const gan = defineRecipe({
  name: "gan",
  summary: "dense GAN (Goodfellow et al. 2014)",
  paper: "https://arxiv.org/abs/1406.2661",
  options,
  networks: ({ size, channels, latent, classes, norm }) => ({
    generator: network(ganGenerator, { size, channels, latent, classes }, "generator"),
    discriminator: network(ganDiscriminator, { size, channels, classes, norm }, "discriminator"),
  }),
  data: ({ size, channels, batch, classes, flip }) => examples({ size, channels, batch, classes, flip }),
  results: ({ size, channels, latent, classes }) => ({
    generator: { task: "generate", size, channels, latent, classes },
  }),
  step: plainStep,
  emaDecay: averageDecay,
});

/** The conditional GAN of Mirza & Osindero 2014: the same with a class in both networks. */
export const cgan = defineRecipe({
  ...gan,
  name: "cgan",
  summary: "conditional dense GAN (Mirza & Osindero 2014)",
  paper: "https://arxiv.org/abs/1411.1784",
  options: options.extend({ classes: z.int().min(2).max(1000).default(10).describe("classes to choose from") }),
});
