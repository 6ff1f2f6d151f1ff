import { z } from "zod";
import { examples } from "../data/examples.ts";
import { dcganDiscriminator, dcganGenerator } from "../models/dcgan.ts";
import { network } from "../nn/model.ts";
import { adversarialOptions, averageDecay, plainStep } from "./adversarial.ts";
import { defineRecipe } from "./recipe.ts";

/** DCGAN, Radford et al. 2016: Adam with β₁ = 0.5 and 2·10⁻⁴. With classes both networks know them. */
export const dcgan = defineRecipe({
  name: "dcgan",
  summary: "convolutional GAN, with or without classes (Radford et al. 2016)",
  paper: "https://arxiv.org/abs/1511.06434",
  options: z.object({
    ...dcganGenerator.options.shape,
    norm: dcganDiscriminator.options.shape.norm,
    ...adversarialOptions,
    batch: z.int().min(2).max(1024).default(64).describe("pictures per step"),
    learningRate: z.number().positive().max(1).default(2e-4).describe("learning rate of both networks"),
  }),
  networks: ({ size, channels, latent, classes, width, up, norm }) => ({
    generator: network(dcganGenerator, { size, channels, latent, classes, width, up }, "generator"),
    discriminator: network(dcganDiscriminator, { size, channels, classes, width, norm }, "discriminator"),
  }),
  data: ({ size, channels, batch, classes, flip }) => examples({ size, channels, batch, classes, flip }),
  results: ({ size, channels, latent, classes }) => ({
    generator: { task: "generate", size, channels, latent, classes },
  }),
  step: plainStep,
  emaDecay: averageDecay,
});
