import { z } from "zod";
import { add, clip, input, mul } from "../engine/index.ts";
import { autoencoderSizes, autoencoder as model } from "../models/autoencoder.ts";
import { mse } from "../nn/losses.ts";
import { network } from "../nn/model.ts";
import { adam } from "../nn/optimizers.ts";
import { cosineRate } from "../nn/schedules.ts";
import { defineRecipe } from "./recipe.ts";

/** Autoencoders under mean squared error; `denoising` is the convolutional one, fed with noisy pictures. */
export const autoencoder = defineRecipe({
  name: "autoencoder",
  summary: "pictures squeezed into a few numbers and rebuilt",
  paper: "https://doi.org/10.1126/science.1127647",
  options: z.object({
    variant: z
      .enum(["linear", "dense", "conv", "denoising"])
      .default("dense")
      .describe("layers; denoising is conv on pictures with noise"),
    ...autoencoderSizes,
    noise: z.number().min(0).max(2).default(0.5).describe("standard deviation of the noise that denoising removes"),
    batch: z.int().min(1).max(4096).default(256).describe("pictures per step"),
    learningRate: z.number().positive().max(1).default(2e-3).describe("learning rate at the first step"),
    finalRate: z.number().min(0).max(1).default(2e-5).describe("learning rate at the last step, along a cosine"),
  }),
  networks: ({ variant, size, channels, latent }) => {
    const form = variant === "denoising" ? "conv" : variant;
    return { autoencoder: network(model, { form, size, channels, latent }) };
  },
  data: ({ size, channels, batch }) => ({ kind: "examples", size, channels, batch, classes: 0, flip: false }),
  result: ({ size, channels, latent }) => ({
    network: "autoencoder",
    usage: { task: "reconstruct", size, channels, latent: [latent] },
  }),
  losses({ autoencoder }, { image }, { variant, noise }) {
    const shaken = () => clip(add(image!, mul(input("noise", image!.shape, { noise: "normal" }), noise)), 0, 1);
    const seen = variant === "denoising" ? shaken() : image!; // Vincent et al. 2008, https://doi.org/10.1145/1390156.1390294
    return { autoencoder: mse(autoencoder!(seen, { training: true }), image!) };
  },
  optimizers: () => ({ autoencoder: adam() }),
  schedule: ({ learningRate, finalRate }, steps) => cosineRate(learningRate, { steps, end: finalRate }),
});
