import { z } from "zod";
import { add, exp, input, mul, type Node, slice, square, sub, sum } from "../engine/index.ts";
import { autoencoderSizes } from "../models/autoencoder.ts";
import { vae as model } from "../models/vae.ts";
import { bceWithLogits } from "../nn/losses.ts";
import { network } from "../nn/model.ts";
import { adam } from "../nn/optimizers.ts";
import { constantRate } from "../nn/schedules.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { defineRecipe } from "./recipe.ts";

/** KL divergence of N(mean, exp(logVariance)) from N(0, 1) in nats, averaged over the batch: equation 7 of the paper. */
const divergence = (mean: Node, logVariance: Node): Node =>
  mul(sum(sub(sub(add(square(mean), exp(logVariance)), logVariance), 1)), 0.5 / mean.shape[0]!);

/** Variational autoencoder: Bernoulli pixels, one sample per picture, β as in Higgins et al. 2017. The loss is −ELBO in nats. */
export const vae = defineRecipe({
  name: "vae",
  summary: "variational autoencoder (Kingma & Welling 2014)",
  paper: "https://arxiv.org/abs/1312.6114",
  options: z.object({
    form: z.enum(["dense", "conv"]).default("dense").describe("layers of the two halves"),
    ...autoencoderSizes,
    latent: z.int().min(1).max(1024).default(20).describe("numbers between the two halves"),
    beta: z.number().min(0).max(1000).default(1).describe("weight of the divergence from N(0, 1)"),
    batch: z.int().min(1).max(4096).default(128).describe("pictures per step"),
    learningRate: z.number().positive().max(1).default(1e-3).describe("learning rate"),
  }),
  networks: ({ form, size, channels, latent }) => ({ vae: network(model, { form, size, channels, latent }) }),
  data: ({ size, channels, batch }) => ({ kind: "examples", size, channels, batch, classes: 0, flip: false }),
  result: ({ size, channels, latent }) => ({
    network: "vae",
    usage: { task: "reconstruct", size, channels, latent: [latent] },
  }),
  losses({ vae }, { image }, { latent, beta }) {
    const [count, training] = [image!.shape[0]!, { training: true }];
    const posterior = vae!.part("posterior", image!, training);
    const [mean, logVariance] = [0, latent].map((from) => slice(posterior, [0, from], [count, from + latent]));
    const noise = input("posterior noise", [count, latent], { noise: "normal" });
    const code = add(mean!, mul(noise, exp(mul(logVariance!, 0.5))));
    const pixels = mul(bceWithLogits(vae!.part("logits", code, training), image!), sizeOf(image!.shape.slice(1)));
    const kl = divergence(mean!, logVariance!);
    return { vae: add(pixels, mul(kl, beta)), reconstruction: pixels, divergence: kl };
  },
  optimizers: () => ({ vae: adam() }),
  schedule: ({ learningRate }) => constantRate(learningRate),
});
