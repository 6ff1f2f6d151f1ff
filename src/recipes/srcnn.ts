import { z } from "zod";
import { patches } from "../data/patches.ts";
import { srcnn as model } from "../models/srcnn.ts";
import { mse } from "../nn/losses.ts";
import { network } from "../nn/model.ts";
import { adam } from "../nn/optimizers.ts";
import { cosineRate } from "../nn/schedules.ts";
import { defineRecipe, move } from "./recipe.ts";

/** Networks by name: the paper's two on luma, and the widespread tutorial's on RGB. */
const FORMS = {
  "9-1-5": { channels: 1, features: 64, mapped: 32, kernels: [9, 1, 5] },
  "9-5-5": { channels: 1, features: 64, mapped: 32, kernels: [9, 5, 5] },
  tutorial: { channels: 3, features: 128, mapped: 64, kernels: [9, 5, 5] },
} as const;

const colorOf = (form: keyof typeof FORMS): "y" | "rgb" => (form === "tutorial" ? "rgb" : "y");

/**
 * SRCNN, Dong et al. 2014/2016, https://arxiv.org/abs/1501.00092: mean squared error between the network's output and
 * the original. Differs from the paper: Adam with a cosine schedule in place of SGD, and a moving average of the
 * weights.
 */
export const srcnn = defineRecipe({
  name: "srcnn",
  summary: "super-resolution with three convolutions (Dong et al. 2014)",
  paper: "https://arxiv.org/abs/1501.00092",
  options: z.object({
    form: z
      .enum(["9-1-5", "9-5-5", "tutorial"])
      .default("9-5-5")
      .describe("network: the paper's on luma, or the tutorial's on RGB"),
    scale: z.literal([2, 3, 4]).default(2).describe("how many times wider and taller"),
    patch: z.int().min(16).max(512).default(96).describe("side of a training patch, in pixels"),
    batch: z.int().min(1).max(256).default(16).describe("patches per step"),
    learningRate: z.number().positive().max(1).default(1e-3).describe("learning rate at the first step"),
    finalRate: z
      .number()
      .min(0)
      .max(1)
      .default(2e-5)
      .describe("learning rate at the last step, reached along a cosine"),
    ema: z.number().min(0).max(0.99999).default(0.999).describe("decay of the moving average of the weights, per step"),
  }),
  networks: ({ form }) => ({ srcnn: network(model, { ...FORMS[form], kernels: [...FORMS[form].kernels] }) }),
  data: ({ form, scale, patch, batch }) =>
    patches({ scale, patch: patch - (patch % scale), batch, color: colorOf(form), input: "enlarged" }),
  results: ({ form, scale }) => ({ srcnn: { task: "upscale", scale, color: colorOf(form), input: "enlarged" } }),
  step({ srcnn }, { input, target }, { learningRate, finalRate }, steps) {
    const loss = mse(srcnn(input, { training: true }), target);
    const rate = cosineRate(learningRate, { steps, end: finalRate });
    return { turns: { srcnn: move(srcnn, loss, { optimizer: adam(), rate }) } };
  },
  emaDecay: ({ ema }, step) => Math.min(ema, (1 + step) / (10 + step)),
});
