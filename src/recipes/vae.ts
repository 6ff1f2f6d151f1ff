import { z } from "zod";
import { examples } from "../data/examples.ts";
import { add, exp, input, mean, mul, type Node, slice, softplus, square, sub, sum } from "../engine/index.ts";
import { autoencoderSizes } from "../models/autoencoder.ts";
import { vae as model } from "../models/vae.ts";
import { type CallOptions, type Network, network } from "../nn/model.ts";
import { adam } from "../nn/optimizers.ts";
import { constantRate } from "../nn/schedules.ts";
import { defineRecipe, move } from "./recipe.ts";

interface Evidence {
  /** −log p(x | z) of Bernoulli pixels. */
  readonly reconstruction: Node;
  /** KL divergence of the posterior from N(0, 1): equation 7 of the paper. */
  readonly divergence: Node;
}

const overPixels = (x: Node): Node => sum(x, [1, 2, 3]);

/** What −ELBO is the sum of, for each picture of [N, C, H, W] in nats, [N] each, from one sample a picture. */
export function evidence(vae: Network, image: Node, options: CallOptions = {}): Evidence {
  const count = image.shape[0]!;
  const latent = vae.options.latent as number;
  const posterior = vae.part("posterior", image, options);
  const [mean, logVariance] = [0, latent].map((from) => slice(posterior, [0, from], [count, from + latent]));
  const noise = input("posterior noise", [count, latent], { noise: "normal" });
  const logits = vae.part("logits", add(mean!, mul(noise, exp(mul(logVariance!, 0.5)))), options);
  const surprise = sub(sub(add(square(mean!), exp(logVariance!)), logVariance!), 1);
  return {
    reconstruction: overPixels(sub(softplus(logits), mul(logits, image))),
    divergence: mul(sum(surprise, [1]), 0.5),
  };
}

/**
 * Variational autoencoder: Bernoulli pixels, one sample per picture, β as in Higgins et al. 2017. The loss is −ELBO in
 * nats.
 */
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
  data: ({ size, channels, batch }) => examples({ size, channels, batch }),
  results: ({ size, channels, latent }) => ({ vae: { task: "reconstruct", size, channels, latent: [latent] } }),
  step({ vae }, { image }, { beta, learningRate }) {
    const { reconstruction, divergence } = evidence(vae, image, { training: true });
    const [pixels, kl] = [mean(reconstruction), mean(divergence)];
    const loss = add(pixels, mul(kl, beta));
    return {
      turns: { vae: move(vae, loss, { optimizer: adam(), rate: constantRate(learningRate) }) },
      metrics: { reconstruction: pixels, divergence: kl },
    };
  },
});
