import { openPart } from "../../data/openPart.ts";
import { compileFunction, input } from "../../engine/index.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import { floats } from "../../tensor/tensor.ts";
import { inBatches } from "../common/batches.ts";
import { type JudgeParts, type Judgment, partsOf, shareOf, spreadOf } from "../common/judging.ts";
import { openClassifier } from "./classifier.ts";

/** Pictures that go through a network at a time. */
const BATCH = 250;

/** The share of held-out pictures that a classifier tells right. */
export async function judgeClassifier(model: LoadedModel<UseOf<"classify">>, parts: JudgeParts): Promise<Judgment> {
  const { options, platform, runtime } = parts;
  const test = await openPart("test", model.usage, { data: [options.data] }, platform);
  const { image, label } = test.take(spreadOf(test, options.count));
  const classifier = await openClassifier(model, runtime);
  return {
    figures: { accuracy: shareOf(await classifier.verdicts(image!), label!.data), pictures: image!.shape[0]! },
  };
}

const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score));

/**
 * What a discriminator says of held-out pictures, all of them real: mean score, mean probability, share above one half.
 */
export async function judgeDiscriminator(
  model: LoadedModel<UseOf<"discriminate">>,
  parts: JudgeParts,
): Promise<Judgment> {
  const { size, channels } = model.usage;
  const { test } = await partsOf(model.usage, parts);
  const output = model.build(input("input", [BATCH, channels, size, size]));
  const run = await compileFunction({ output }, { runtime: parts.runtime, weights: model.weights });
  const { image } = test.take(spreadOf(test, parts.options.count));
  const scores = floats(await inBatches(run, image!, BATCH));
  const mean = (of: (score: number) => number): number =>
    scores.reduce((sum, score) => sum + of(score), 0) / scores.length;
  return {
    figures: {
      "score of test pictures": mean((score) => score),
      "probability of test pictures": mean(sigmoid),
      "taken for real": mean((score) => Number(score > 0)),
      pictures: scores.length,
    },
  };
}
