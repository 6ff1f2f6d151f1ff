import type { Examples } from "../../data/exampleSource.ts";
import { openPart } from "../../data/openPart.ts";
import { compileFunction, concat, input, reshape } from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import { principalComponents, reconstructionError } from "../../metrics/pca.ts";
import { isFor, type LoadedModel } from "../../modelFiles/model.ts";
import { loadModel } from "../../modelFiles/read.ts";
import { verbs } from "../../modelFiles/usageSchema.ts";
import type { ClassifyUsage, DiscriminateUsage, ReconstructUsage } from "../../nn/usage.ts";
import { checkOptions } from "../../options/schema.ts";
import type { Platform, RuntimeChoice } from "../../platform/platform.ts";
import { evidence } from "../../recipes/vae.ts";
import { floats, sizeOf } from "../../tensor/tensor.ts";
import { openClassifier, rowsOf } from "../classify/classifier.ts";
import { inBatches, runRows } from "../common/batches.ts";
import {
  type JudgeHooks,
  type JudgeOptions,
  type JudgeParts,
  type Judgment,
  judgeOptions,
  partsOf,
  shareOf,
  spreadOf,
} from "../common/judging.ts";
import { codesOf } from "../generate/generator.ts";
import { judgeGenerator } from "../generate/judge.ts";
import { openAutoencoder } from "../reconstruct/autoencoder.ts";
import { squaredErrors } from "../reconstruct/watch.ts";

/** Pictures that go through a network at a time. */
const BATCH = 250;

/** The mean ELBO of held-out pictures in nats and its two halves, for autoencoders that give a posterior. */
async function judgeEvidence(
  { network, usage, weights }: LoadedModel<ReconstructUsage>,
  test: Examples,
  parts: JudgeParts,
): Promise<Judgment["figures"]> {
  if (!network?.model.parts?.posterior) return {};
  const { size, channels } = usage;
  const { reconstruction, divergence } = evidence(network, input("input", [BATCH, channels, size, size]));
  const output = concat(
    [reconstruction, divergence].map((values) => reshape(values, [BATCH, 1])),
    1,
  );
  const run = await compileFunction({ output }, { runtime: parts.runtime, weights });
  const { image } = test.take(spreadOf(test, parts.checked.count));
  const noise = codesOf(sizeOf(usage.latent), parts.checked.seed, image!.shape[0]!);
  const values = floats(await runRows(run, { input: image!, "posterior noise": noise }, BATCH)); // [N, 2]
  const mean = (column: number): number =>
    values.reduce((sum, value, at) => (at % 2 === column ? sum + value : sum), 0) / (values.length / 2);
  return { elbo: -mean(0) - mean(1), reconstruction: mean(0), divergence: mean(1) };
}

/** The mean squared error of an autoencoder on held-out pictures, beside what as many principal components leave. */
async function judgeAutoencoder(model: LoadedModel<ReconstructUsage>, parts: JudgeParts): Promise<Judgment> {
  const { count } = parts.checked;
  const { train, test } = await partsOf(model.usage, parts);
  const network = await openAutoencoder(model, parts.runtime);
  const errors = await squaredErrors(test, async (image) => network.decode(await network.encode(image)), count);
  const mse = errors.reduce((sum, error) => sum + error / errors.length, 0);
  const psnr = errors.reduce((sum, error) => sum - (10 * Math.log10(error)) / errors.length, 0);
  const components = principalComponents(rowsOf(train.take(spreadOf(train, 60_000)).image!));
  const held = rowsOf(test.take(spreadOf(test, count)).image!);
  const floor = reconstructionError(components, held, sizeOf(model.usage.latent));
  const bound = await judgeEvidence(model, test, parts);
  return { figures: { mse, psnr, floor, "mse / floor": mse / floor, ...bound, pictures: errors.length } };
}

/** The share of held-out pictures that are told right. */
async function judgeClassifier(model: LoadedModel<ClassifyUsage>, parts: JudgeParts): Promise<Judgment> {
  const { checked, platform, runtime } = parts;
  const test = await openPart("test", model.usage, { data: [checked.data] }, platform);
  const { image, label } = test.take(spreadOf(test, checked.count));
  const classifier = await openClassifier(model, runtime);
  return {
    figures: { accuracy: shareOf(await classifier.verdicts(image!), label!.data), pictures: image!.shape[0]! },
  };
}

const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score));

/** What a discriminator says of held-out pictures, all of them real: mean score, mean probability, share above one half. */
async function judgeDiscriminator(model: LoadedModel<DiscriminateUsage>, parts: JudgeParts): Promise<Judgment> {
  const { size, channels } = model.usage;
  const { test } = await partsOf(model.usage, parts);
  const output = model.build(input("input", [BATCH, channels, size, size]));
  const run = await compileFunction({ output }, { runtime: parts.runtime, weights: model.weights });
  const { image } = test.take(spreadOf(test, parts.checked.count));
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

/** Judges a model of small pictures by what its task is judged by. */
export async function judge(
  options: JudgeOptions,
  platform: Platform,
  { signal, onProgress, ...choice }: RuntimeChoice & JudgeHooks = {},
): Promise<Judgment> {
  const checked = checkOptions(judgeOptions, options, (name) => `judge › ${name}`);
  const model = await loadModel(checked.model, platform);
  const runtime = await platform.runtime(choice);
  const parts = { checked, platform, runtime, hooks: { signal, onProgress } };
  try {
    if (isFor(model, "reconstruct")) return await judgeAutoencoder(model, parts);
    if (isFor(model, "classify")) return await judgeClassifier(model, parts);
    if (isFor(model, "generate")) return await judgeGenerator(model, parts);
    if (isFor(model, "discriminate")) return await judgeDiscriminator(model, parts);
    throw userError(
      checked.model,
      `expected a model that makes, rebuilds or judges small pictures, got one that ${verbs[model.usage.task]}`,
      model.usage.task === "upscale" ? "Use imago evaluate --scale." : "Give it as --features.",
    );
  } finally {
    await runtime.dispose();
  }
}
