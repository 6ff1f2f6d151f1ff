import { z } from "zod";
import { examples } from "../data/examples.ts";
import { add, clip, input, mul } from "../engine/index.ts";
import { autoencoderSizes, autoencoder as model } from "../models/autoencoder.ts";
import { mse } from "../nn/losses.ts";
import { network } from "../nn/model.ts";
import { adam } from "../nn/optimizers.ts";
import { cosineRate } from "../nn/schedules.ts";
import { defineRecipe, move } from "./recipe.ts";

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
  data: ({ size, channels, batch }) => examples({ size, channels, batch }),
  results: ({ size, channels, latent }) => ({ autoencoder: { task: "reconstruct", size, channels, latent: [latent] } }),
  step({ autoencoder }, { image }, { variant, noise, learningRate, finalRate }, steps) {
    const shaken = () => clip(add(image, mul(input("noise", image.shape, { noise: "normal" }), noise)), 0, 1);
    // Vincent et al. 2008, https://doi.org/10.1145/1390156.1390294
    const seen = variant === "denoising" ? shaken() : image;
    const loss = mse(autoencoder(seen, { training: true }), image);
    const rate = cosineRate(learningRate, { steps, end: finalRate });
    return { turns: { autoencoder: move(autoencoder, loss, { optimizer: adam(), rate }) } };
  },
});
