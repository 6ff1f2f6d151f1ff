import { z } from "zod";
import { patches } from "../data/patches.ts";
import { espcn as model } from "../models/espcn.ts";
import { mse } from "../nn/losses.ts";
import { network } from "../nn/model.ts";
import { adam } from "../nn/optimizers.ts";
import { cosineRate } from "../nn/schedules.ts";
import { defineRecipe, move } from "./recipe.ts";

const { scale, features } = model.options.shape;

/**
 * ESPCN, Shi et al. 2016, https://arxiv.org/abs/1609.05158: mean squared error between the network's output and the original, on
 * luma. Differs from the paper: Adam with a cosine schedule in place of falling steps.
 */
export const espcn = defineRecipe({
  name: "espcn",
  summary: "super-resolution at the small picture's size (Shi et al. 2016)",
  paper: "https://arxiv.org/abs/1609.05158",
  options: z.object({
    scale,
    features,
    side: z.int().min(8).max(128).default(24).describe("side of a small patch, in pixels"),
    batch: z.int().min(1).max(256).default(16).describe("patches per step"),
    learningRate: z.number().positive().max(1).default(1e-3).describe("learning rate at the first step"),
  }),
  networks: ({ scale, features }) => ({ espcn: network(model, { scale, features }) }),
  data: ({ scale, side, batch }) => patches({ scale, patch: side * scale, batch, color: "y", input: "lr" }),
  results: ({ scale }) => ({ espcn: { task: "upscale", scale, color: "y", input: "lr" } }),
  step({ espcn }, { input, target }, { learningRate }, steps) {
    const loss = mse(espcn(input, { training: true }), target);
    return { turns: { espcn: move(espcn, loss, { optimizer: adam(), rate: cosineRate(learningRate, { steps }) }) } };
  },
});
