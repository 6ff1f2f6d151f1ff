import { z } from "zod";
import type { Examples } from "../../data/exampleSource.ts";
import { openPart } from "../../data/openPart.ts";
import type { Runtime } from "../../engine/index.ts";
import { option, userError } from "../../errors.ts";
import type { Picture } from "../../image/picture.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import { loadModelFor } from "../../modelFiles/read.ts";
import type { UseOf } from "../../nn/use.ts";
import type { Platform } from "../../platform/platform.ts";
import { rangeNames } from "../../tensor/range.ts";

/** What a feature network is asked for. */
export const featureOptions = z.object({
  features: z
    .string()
    .min(1)
    .optional()
    .describe(
      "for generators: network whose features count; .safetensors of Inception v3 (FID's or torchvision's weights) or .onnx",
    )
    .meta({ placeholder: "file" }),
  resize: z
    .enum(["clean", "legacy"])
    .default("clean")
    .describe(
      `for ${option("features")}: enlarge or reduce by antialiased bicubic as Pillow and clean-fid, or by bilinear without antialiasing as pytorch-fid`,
    ),
  featureSize: z
    .int()
    .min(8)
    .max(1024)
    .optional()
    .describe(
      `for ${option("features")} with an .onnx file of free size: side that it is given, 299 unless given, in pixels`,
    ),
  featureRange: z
    .enum(rangeNames)
    .optional()
    .describe(
      `for ${option("features")} with an .onnx file: 0…1 (unless given), −1…1, 0…255, or less ImageNet's mean over deviation`,
    ),
});

export type FeatureOptions = z.output<typeof featureOptions>;

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
  ...featureOptions.shape,
  count: z.int().min(2).max(100_000).default(10_000).describe("pictures to make or to rebuild, at most"),
  seed: z.int().min(0).max(4_294_967_295).default(0).describe("seed of the pictures made"),
});

export type JudgeOptions = z.input<typeof judgeOptions>;

export interface Judgment {
  /** By name: mse, floor, accuracy, fid, kid … */
  readonly figures: Readonly<Record<string, number>>;
  /** The features that distances of sets of pictures stand on. */
  readonly features?: string;
  /** Made pictures above the training pictures that are nearest by pixels and by features. */
  readonly sheet?: Picture;
}

/** A model and what was found of it. */
export interface Judged extends Judgment {
  /** Its name, without the folders before it. */
  readonly model: string;
}

export interface JudgeHooks {
  readonly signal?: AbortSignal;
  readonly onProgress?: (what: string, done: number, total: number) => void;
}

/** What all kinds of models are judged with. */
export interface JudgeParts {
  readonly options: z.output<typeof judgeOptions>;
  readonly platform: Platform;
  readonly runtime: Runtime;
  readonly hooks: JudgeHooks;
}

/** Numbers of `count` pictures spread evenly over a set, which may be sorted by class; of all when it has fewer. */
export function spreadOf({ description: { count: total } }: Examples, count: number): readonly number[] {
  const taken = Math.min(count, total);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * total) / taken));
}

/** Both parts of the data set at a model's size. */
export async function partsOf(
  usage: { readonly size: number; readonly channels: 1 | 3 },
  { options, platform }: JudgeParts,
): Promise<{ readonly train: Examples; readonly test: Examples }> {
  const open = (part: "train" | "test") => openPart(part, { ...usage, classes: 0 }, { data: [options.data] }, platform);
  return { train: await open("train"), test: await open("test") };
}

/** The share of verdicts that are right. */
export const shareOf = (verdicts: readonly number[], labels: ArrayLike<number | bigint>): number =>
  verdicts.filter((verdict, i) => verdict === Number(labels[i])).length / verdicts.length;

/**
 * The classifier that judges a generator of pictures of the same size.
 * @throws UserError for a model that is no classifier, or one of pictures of another size
 */
export async function loadJudge(
  path: string,
  { size, channels }: Pick<UseOf<"generate">, "size" | "channels">,
  platform: Platform,
): Promise<LoadedModel<UseOf<"classify">>> {
  const classifier = await loadModelFor("classify", path, platform);
  const { usage } = classifier;
  if (usage.size === size && usage.channels === channels) return classifier;
  throw userError(
    path,
    `expected a judge of ${channels}×${size}×${size} pictures, got one of ${usage.channels}×${usage.size}×${usage.size}`,
  );
}
