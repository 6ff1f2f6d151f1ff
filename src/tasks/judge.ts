import { z } from "zod";
import { compileFunction, input, type Runtime } from "../engine/index.ts";
import { userError } from "../errors.ts";
import type { Features } from "../metrics/features.ts";
import { fid } from "../metrics/fid.ts";
import { kid } from "../metrics/kid.ts";
import { principalComponents, reconstructionError } from "../metrics/pca.ts";
import { precisionRecall } from "../metrics/precisionRecall.ts";
import type { ClassifyUsage, GenerateUsage, ReconstructUsage } from "../nn/usage.ts";
import { floats, sizeOf, type Tensor } from "../tensor/tensor.ts";
import type { Examples } from "../train/data/examples.ts";
import { inBatches, openAutoencoder } from "./autoencoder.ts";
import { codesOf, openGenerator } from "./generator.ts";
import { isFor, type LoadedModel, loadModel, loadModelFor } from "./modelFile.ts";
import type { Platform, RuntimeChoice } from "./platform.ts";
import { largest } from "./sampleClassify.ts";
import { squaredErrors } from "./sampleReconstruct.ts";
import { checkOptions } from "./schema.ts";
import { openPart } from "./trainData.ts";

/** What `judge` can be asked for. */
export const judgeOptions = z.object({
  model: z.string().min(1),
  data: z.string().min(1),
  judge: z
    .string()
    .min(1)
    .optional()
    .describe("for generators: the classifier whose features and verdicts count")
    .meta({ placeholder: "model" }),
  count: z.int().min(2).max(100_000).default(10_000).describe("pictures to make or to rebuild, at most"),
  seed: z.int().min(0).max(4_294_967_295).default(0).describe("seed of the pictures made"),
});

export type JudgeOptions = z.input<typeof judgeOptions>;
type Checked = z.output<typeof judgeOptions>;
/** Figures by name: mse, floor, accuracy, fid, kid … */
export type Judgment = Readonly<Record<string, number>>;

const BATCH = 250;

/** Numbers 0 … count − 1, or all of a set. */
const firstOf = (set: Examples, count: number): readonly number[] => [
  ...Array(Math.min(count, set.description.count)).keys(),
];

/** Every picture as a row of numbers. */
export const rowsOf = (batch: Tensor): Features => ({ data: floats(batch), width: sizeOf(batch.shape.slice(1)) });

/** The mean squared error of an autoencoder on held-out pictures, beside what as many principal components leave. */
async function judgeAutoencoder(
  model: LoadedModel<ReconstructUsage>,
  checked: Checked,
  platform: Platform,
  runtime: Runtime,
): Promise<Judgment> {
  const wanted = { ...model.usage, classes: 0 };
  const [train, test] = (await Promise.all(
    (["train", "test"] as const).map((part) => openPart(part, wanted, { data: [checked.data] }, platform)),
  )) as [Examples, Examples];
  const network = await openAutoencoder(model, runtime);
  const errors = await squaredErrors(test, async (image) => network.decode(await network.encode(image)), checked.count);
  const mse = errors.reduce((sum, error) => sum + error / errors.length, 0);
  const psnr = errors.reduce((sum, error) => sum - (10 * Math.log10(error)) / errors.length, 0);
  const components = principalComponents(rowsOf(train.take(firstOf(train, 60_000)).image!));
  const held = rowsOf(test.take(firstOf(test, checked.count)).image!);
  const floor = reconstructionError(components, held, sizeOf(model.usage.latent));
  return { mse, psnr, floor, "mse / floor": mse / floor, pictures: errors.length };
}

/** A classifier's two answers for pictures [N, C, S, S]. */
export interface Judge {
  features(image: Tensor): Promise<Features>;
  verdicts(image: Tensor): Promise<readonly number[]>;
}

export async function openJudge(
  { network, usage, weights, path }: LoadedModel<ClassifyUsage>,
  runtime: Runtime,
): Promise<Judge> {
  if (!network) throw userError(path, "expected a classifier of this package, got a graph");
  const leaf = input("input", [BATCH, usage.channels, usage.size, usage.size]);
  const features = await compileFunction({ output: network.part("features", leaf) }, { runtime, weights });
  const logits = await compileFunction({ output: network(leaf) }, { runtime, weights });
  return {
    features: async (image) => rowsOf(await inBatches(features, image, BATCH)),
    verdicts: async (image) => largest(floats(await inBatches(logits, image, BATCH)), usage.classes),
  };
}

/** The classifier that judges a generator of pictures of the same size. */
export async function loadJudge(
  path: string | undefined,
  { size, channels }: GenerateUsage,
  platform: Platform,
): Promise<LoadedModel<ClassifyUsage>> {
  if (path === undefined)
    throw userError("judge", "expected a classifier to judge by, got none", "Train one: imago train classifier.");
  const classifier = await loadModelFor("classify", path, platform);
  const { usage } = classifier;
  if (usage.size === size && usage.channels === channels) return classifier;
  throw userError(
    path,
    `expected a judge of ${channels}×${size}×${size} pictures, got one of ${usage.channels}×${usage.size}×${usage.size}`,
  );
}

const shareOf = (verdicts: readonly number[], labels: ArrayLike<number | bigint>): number =>
  verdicts.filter((verdict, i) => verdict === Number(labels[i])).length / verdicts.length;

async function judgeClassifier(
  model: LoadedModel<ClassifyUsage>,
  checked: Checked,
  platform: Platform,
  runtime: Runtime,
): Promise<Judgment> {
  const test = await openPart("test", model.usage, { data: [checked.data] }, platform);
  const { image, label } = test.take(firstOf(test, checked.count));
  const judge = await openJudge(model, runtime);
  return { accuracy: shareOf(await judge.verdicts(image!), label!.data), pictures: image!.shape[0]! };
}

/**
 * A generator against the held-out pictures, on the features of a classifier (so these figures compare only with others of the
 * same judge): FID, KID, precision and recall, each beside its value for pictures that were learned from. With classes also the
 * share of pictures that the judge takes for the class they were asked for.
 */
async function judgeGenerator(
  model: LoadedModel<GenerateUsage>,
  checked: Checked,
  platform: Platform,
  runtime: Runtime,
): Promise<Judgment> {
  const { usage } = model;
  const classifier = await loadJudge(checked.judge, usage, platform);
  const judge = await openJudge(classifier, runtime);
  const [train, test] = (await Promise.all(
    (["train", "test"] as const).map((part) =>
      openPart(part, { ...usage, classes: 0 }, { data: [checked.data] }, platform),
    ),
  )) as [Examples, Examples];
  const labels = Array.from({ length: checked.count }, (_, i) => (usage.classes > 0 ? i % usage.classes : 0));
  const generator = await openGenerator(model, runtime);
  const made = await generator.run(codesOf(usage.latent, checked.seed, checked.count), labels);
  const real = await judge.features(test.take(firstOf(test, checked.count)).image!);
  const learned = await judge.features(train.take(firstOf(train, checked.count)).image!);
  const fake = await judge.features(made);
  const { seed } = checked;
  return {
    ...(usage.classes > 0 && { accuracy: shareOf(await judge.verdicts(made), labels) }),
    fid: fid(real, fake),
    "fid of training pictures": fid(real, learned),
    kid: kid(real, fake, { seed }).mean,
    "kid of training pictures": kid(real, learned, { seed }).mean,
    ...precisionRecall(real, fake),
    pictures: checked.count,
  };
}

/** Judges a model of small pictures by what its task is judged by. */
export async function judge(options: JudgeOptions, platform: Platform, choice: RuntimeChoice = {}): Promise<Judgment> {
  const checked = checkOptions(judgeOptions, options, (name) => `judge › ${name}`);
  const model = await loadModel(checked.model, platform);
  const runtime = await platform.runtime(choice);
  try {
    if (isFor(model, "reconstruct")) return await judgeAutoencoder(model, checked, platform, runtime);
    if (isFor(model, "classify")) return await judgeClassifier(model, checked, platform, runtime);
    if (isFor(model, "generate")) return await judgeGenerator(model, checked, platform, runtime);
    throw userError(
      checked.model,
      "expected a model of small pictures, got one that enlarges",
      "Use imago evaluate --scale.",
    );
  } finally {
    await runtime.dispose();
  }
}
