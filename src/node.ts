import type { z } from "zod";
import type { RuntimeName } from "./engine/index.ts";
import { userError } from "./errors.ts";
import type { Picture } from "./image/picture.ts";
import type { Provenance } from "./image/provenance.ts";
import { exportModel as packAs } from "./modelFiles/export.ts";
import type { LoadedModel } from "./modelFiles/model.ts";
import { type LoadOptions, listModels as listWith } from "./modelFiles/names.ts";
import { loadModel as loadWith } from "./modelFiles/read.ts";
import { lazyRuntime } from "./platform/lazyRuntime.ts";
import { nodePlatform } from "./platform/node.ts";
import type { RecipeDefinition } from "./recipes/index.ts";
import { provenanceText } from "./report/provenance.ts";
import type { JudgeHooks, JudgeOptions, Judgment } from "./tasks/common/judging.ts";
import { recordOf as recordWith } from "./tasks/common/record.ts";
import { judge as judgeWith } from "./tasks/evaluate/judge.ts";
import { type GenerateOptions, generate as generateWith, type Made } from "./tasks/generate/generate.ts";
import {
  type Reconstruction,
  type ReconstructOptions,
  reconstruct as reconstructWith,
} from "./tasks/reconstruct/reconstruct.ts";
import {
  planResume,
  planTraining,
  type ResumeOptions,
  type TrainOptions,
  type TrainTick,
} from "./tasks/train/train.ts";
import { type CompareOptions, type Comparison, compare as compareWith } from "./tasks/upscale/compare.ts";
import {
  type EvaluateOptions,
  type Evaluation,
  evaluate as evaluateWith,
  type PictureScore,
} from "./tasks/upscale/judge.ts";
import { openUpscaler as openWith, type UpscaleOptions, type Upscaler } from "./tasks/upscale/upscale.ts";
import type { StepProfile } from "./train/profile.ts";

export { createRuntime, type RuntimeOptions } from "./engine/runtime/node.ts";
export { writeAnimation } from "./platform/animation.ts";
export { readProvenance } from "./platform/carry.ts";
export {
  decodePicture,
  encodePicture,
  formatOf,
  type PictureInfo,
  probePicture,
  readPicture,
  writePicture,
} from "./platform/codec.ts";
export { type NodePlatformOptions, nodePlatform } from "./platform/node.ts";
export { nodeFiles } from "./platform/nodeFiles.ts";

const platform = nodePlatform({ warn: (text) => process.emitWarning(text) });

/** Where a task runs. */
export interface Device {
  /** "cpu" where it is installed, else "wasm", unless given. */
  readonly runtime?: RuntimeName;
  /** All cores unless given. */
  readonly threads?: number;
}

/** Where a task runs and how it is stopped. */
export interface Running extends Device {
  readonly signal?: AbortSignal;
}

/** A picture, or the path or bytes of its file. */
export type PictureSource = Picture | string | Uint8Array;

const open = async (source: PictureSource): Promise<Picture> =>
  typeof source === "string" || source instanceof Uint8Array ? platform.codec.read(source) : source;

const choiceOf = ({ runtime, threads }: Device) => ({ name: runtime, threads });

/** Enlarges one picture with a network or a classic method. */
export async function upscale(
  source: PictureSource,
  options: UpscaleOptions & Running & { readonly onProgress?: (done: number, total: number) => void } = {},
): Promise<Picture> {
  const { runtime, threads, signal, onProgress, ...task } = options;
  const upscaler = await openUpscaler({ ...task, runtime, threads });
  try {
    return await upscaler.run(await open(source), { signal, onProgress });
  } finally {
    await upscaler.dispose();
  }
}

/** Opens a network or a method once for many pictures; `dispose` ends its runtime. */
export async function openUpscaler({ runtime, threads, ...task }: UpscaleOptions & Running = {}): Promise<Upscaler> {
  const started = lazyRuntime(platform, choiceOf({ runtime, threads }));
  const upscaler = await openWith(task, platform, started);
  const dispose = async (): Promise<void> => {
    await upscaler.dispose();
    await started.dispose();
  };
  return { ...upscaler, dispose };
}

/** Scores methods and networks on a folder of pictures by the protocol of published tables. */
export function evaluate(
  options: EvaluateOptions &
    Running & { readonly onScore?: (score: PictureScore, done: number, total: number) => void },
): Promise<Evaluation> {
  const { runtime, threads, signal, onScore, ...task } = options;
  return evaluateWith(task, platform, { runtime: choiceOf({ runtime, threads }), signal, onScore });
}

/** Reduces a picture, enlarges it by several methods, and draws them side by side. */
export async function compare(source: PictureSource, options: CompareOptions & Running = {}): Promise<Comparison> {
  const { runtime, threads, signal, ...task } = options;
  return compareWith(await open(source), task, platform, { runtime: choiceOf({ runtime, threads }), signal });
}

/** Makes pictures with a generator; picture i of a seed is the same however many are made. */
export const generate = ({ runtime, threads, ...task }: GenerateOptions & Device): Promise<readonly Made[]> =>
  generateWith(task, platform, choiceOf({ runtime, threads }));

/** Rebuilds picture files, or the held-out pictures of a data set, with an autoencoder. */
export const reconstruct = (
  paths: readonly string[],
  { runtime, threads, ...task }: ReconstructOptions & Device,
): Promise<Reconstruction> => reconstructWith(paths, task, platform, choiceOf({ runtime, threads }));

/** Judges an autoencoder, a generator, a classifier or a discriminator on a data set: figures by name, and what they stand on. */
export const judge = ({
  runtime,
  threads,
  signal,
  onProgress,
  ...task
}: JudgeOptions & Device & JudgeHooks): Promise<Judgment> =>
  judgeWith(task, platform, { ...choiceOf({ runtime, threads }), signal, onProgress });

/** Trains by a recipe, shipped or your own, into a new run folder; yields a tick per step and one at the end. */
export async function* train<O extends z.ZodObject>(
  recipe: RecipeDefinition<O>,
  options: TrainOptions & Running & z.input<O>,
): AsyncGenerator<TrainTick, void> {
  const { runtime, threads, signal, ...task } = options;
  const training = await planTraining(
    recipe,
    task as unknown as TrainOptions,
    platform,
    choiceOf({ runtime, threads }),
  );
  yield* training.start({ signal });
}

/**
 * Times steps of a recipe's training from its first weights, 20 unless `profileSteps` says otherwise, and tells where their time
 * goes by layer, by what kernels do, and outside of them. Runs on "cpu" alone; no run is made.
 */
export async function profile<O extends z.ZodObject>(
  recipe: RecipeDefinition<O>,
  options: Omit<TrainOptions, "run"> & Running & { readonly profileSteps?: number } & z.input<O>,
): Promise<StepProfile> {
  const { runtime, threads, signal, profileSteps: steps = 20, ...task } = options;
  const asked = { ...task, run: "(no run)" } as unknown as TrainOptions;
  const training = await planTraining(recipe, asked, platform, choiceOf({ runtime, threads }));
  return training.profile({ steps: steps, signal });
}

/** Goes on with a run where it stopped; `recipe` where it was one of your own. */
export async function* resume(
  folder: string,
  options: ResumeOptions & Running & { readonly recipe?: RecipeDefinition } = {},
): AsyncGenerator<TrainTick, void> {
  const { runtime, threads, signal, recipe, ...changes } = options;
  const choice = { runtime: choiceOf({ runtime, threads }), recipe };
  const training = await planResume(folder, changes, platform, choice);
  yield* training.start({ signal });
}

/**
 * What made a file, as lines to read: task, options, models, version.
 * @throws UserError where the file is not there or does not tell
 */
export async function show(path: string): Promise<string> {
  const made = await platform.codec.provenance(path);
  if (!made) throw userError(path, "expected a file that says what made it, got one that does not");
  return provenanceText(made);
}

/** What made an output of a task of this platform, to be given to `writePicture` as `provenance`. */
export const recordOf = (task: string, options: Readonly<Record<string, unknown>>): Promise<Provenance> =>
  recordWith(task, options, platform);

/** Loads a shipped model by name, a model file, or a run's folder. */
export const loadModel = (name: string, options?: LoadOptions): Promise<LoadedModel> =>
  loadWith(name, platform, options);

/** Names of the models that come with the package. */
export const listModels = (): Promise<readonly string[]> => listWith(platform);

/** Writes a model as .onnx or .safetensors, by the name's ending. */
export async function exportModel(model: LoadedModel | string, path: string, { force = false } = {}): Promise<void> {
  await platform.checkTarget(path, force);
  const loaded = typeof model === "string" ? await loadModel(model) : model;
  await platform.files.write(path, packAs(loaded, path));
}
