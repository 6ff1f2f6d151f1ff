import { z } from "zod";
import { sigmoid, slice } from "../engine/index.ts";
import { defineModel } from "../nn/model.ts";
import { autoencoderSizes, decoder, encoder } from "./autoencoder.ts";

/**
 * Variational autoencoder: the first half gives mean and log variance of a Gaussian over codes, the second the logits
 * of pixels. Kingma & Welling 2014, https://arxiv.org/abs/1312.6114. Run as a whole it rebuilds from the mean.
 * Parts: encode [N, C, S, S] → means [N, L], posterior → [N, 2L] (means, then log variances), decode [N, L] → 0…1,
 * logits.
 */
export const vae = defineModel({
  name: "vae",
  summary: "variational autoencoder (Kingma & Welling 2014)",
  paper: "https://arxiv.org/abs/1312.6114",
  options: z.object({
    form: z.enum(["dense", "conv"]).default("dense").describe("layers of the two halves"),
    ...autoencoderSizes,
  }),
  input: ({ channels, size }) => [1, channels, size, size],
  build(x, p, options) {
    const posterior = encoder(x, p("encoder"), 2 * options.latent, options);
    return sigmoid(decoder(slice(posterior, [0, 0], [x.shape[0]!, options.latent]), p("decoder"), options));
  },
  parts: {
    posterior: (x, p, options) => encoder(x, p("encoder"), 2 * options.latent, options),
    encode: (x, p, options) =>
      slice(encoder(x, p("encoder"), 2 * options.latent, options), [0, 0], [x.shape[0]!, options.latent]),
    logits: (code, p, options) => decoder(code, p("decoder"), options),
    decode: (code, p, options) => sigmoid(decoder(code, p("decoder"), options)),
  },
});
