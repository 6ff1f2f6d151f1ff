import { z } from "zod";
import { examples } from "../data/examples.ts";
import type { Node } from "../engine/index.ts";
import { classifier as model } from "../models/classifier.ts";
import { crossEntropy } from "../nn/losses.ts";
import { network } from "../nn/model.ts";
import { adam } from "../nn/optimizers.ts";
import { cosineRate } from "../nn/schedules.ts";
import { defineRecipe, move } from "./recipe.ts";

/** A small classifier under cross-entropy: judges what generators make of the same classes. */
export const classifier = defineRecipe({
  name: "classifier",
  summary: "a small convolutional classifier, the judge of generated pictures",
  paper: model.paper,
  options: z.object({
    ...model.options.shape,
    flip: z.boolean().default(false).describe("mirror half of the pictures"),
    batch: z.int().min(2).max(1024).default(128).describe("pictures per step"),
    learningRate: z.number().positive().max(1).default(2e-3).describe("learning rate at the first step"),
    finalRate: z.number().min(0).max(1).default(2e-5).describe("learning rate at the last step, along a cosine"),
  }),
  networks: ({ size, channels, classes, features }) => ({
    classifier: network(model, { size, channels, classes, features }),
  }),
  data: ({ size, channels, batch, classes, flip }) => examples({ size, channels, batch, classes, flip }),
  results: ({ size, channels, classes }) => ({ classifier: { task: "classify", size, channels, classes } }),
  step({ classifier }, { image, label }, { learningRate, finalRate }, steps) {
    // the schema asks for two classes or more
    const loss = crossEntropy(classifier(image, { training: true }), label as Node);
    const rate = cosineRate(learningRate, { steps, end: finalRate });
    return { turns: { classifier: move(classifier, loss, { optimizer: adam(), rate }) } };
  },
});
