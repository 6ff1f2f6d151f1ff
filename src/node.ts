/** What Node adds: the tasks as functions on this machine's files, and reading and writing them. */
import type { z } from "zod";
import type { Provenance } from "./image/provenance.ts";
import type { LoadedModel } from "./modelFiles/model.ts";
import { type LoadOptions, listModels as listWith } from "./modelFiles/names.ts";
import { loadModel as loadWith } from "./modelFiles/read.ts";
import { lazyRuntime } from "./platform/lazyRuntime.ts";
import { nodePlatform } from "./platform/node.ts";
import type { RecipeDefinition } from "./recipes/index.ts";
import { bindTasks, type Followed, type Running } from "./tasks/bind.ts";
import type { JudgeHooks, JudgeOptions, Judgment } from "./tasks/common/judging.ts";
import { readRecord, recordOf as recordWith } from "./tasks/common/record.ts";
import type { TaskTools } from "./tasks/common/task.ts";
import type { Evaluated, EvaluateOptions, EvaluateTick } from "./tasks/evaluate/evaluate.ts";
import { judge as judgeWith } from "./tasks/evaluate/judge.ts";
import { tasks } from "./tasks/index.ts";
import type { TrainOptions } from "./tasks/train/options.ts";
import { planTraining, type ResumeOptions, type TrainTick } from "./tasks/train/train.ts";
import { resume as resumeTask, train as trainTask } from "./tasks/train/trainTask.ts";
import type { PictureScore } from "./tasks/upscale/judge.ts";
import { openUpscaler as openWith, type UpscaleOptions } from "./tasks/upscale/upscale.ts";
import type { Upscaler } from "./tasks/upscale/upscaler.ts";
import type { StepProfile } from "./train/profile.ts";

export { createRuntime, type RuntimeOptions } from "./engine/runtime/node.ts";
export { writeAnimation } from "./platform/animation.ts";
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
const door = bindTasks(tasks, platform);

/**
 * Enlarges one picture with a network or a classic method.
 * @throws UserError for options, a model or a picture that do not fit; the signal's reason when it is aborted
 */
export const upscale = door.upscale;

/**
 * Reduces a picture, enlarges it by several methods, and draws them side by side.
 * @throws UserError for options, models or a picture that do not fit; the signal's reason when it is aborted
 */
export const compare = door.compare;

/**
 * Makes pictures with a generator; picture i of a seed is the same however many are made.
 * @throws UserError for options or a model that do not fit; the signal's reason when it is aborted
 */
export const generate = door.generate;

/**
 * Draws a sheet of pictures with the coarse styles of one made picture and the fine styles of another.
 * @throws UserError for options or a generator without styles; the signal's reason when it is aborted
 */
export const mixStyles = door.mixStyles;

/**
 * Rebuilds picture files, or the held-out pictures of a data set, with an autoencoder.
 * @throws UserError for options, a model or pictures that do not fit; the signal's reason when it is aborted
 */
export const reconstruct = door.reconstruct;

/**
 * Turns one picture into another with a network that learned it from pairs.
 * @throws UserError for a model or picture that does not fit
 */
export const translate = door.translate;

/**
 * Scores methods and networks on a folder of pictures by the protocol of published tables, or judges models of small
 * pictures.
 * @throws UserError for options, models or data that do not fit; the signal's reason when it is aborted
 */
export function evaluate({
  onScore,
  onTick,
  ...options
}: EvaluateOptions &
  Followed<EvaluateTick> & {
    readonly onScore?: (score: PictureScore, done: number, total: number) => void;
  }): Promise<Evaluated> {
  return door.evaluate({
    ...options,
    onTick(tick) {
      onTick?.(tick);
      if (tick.score) onScore?.(tick.score, tick.done, tick.total);
    },
  });
}

/**
 * Judges an autoencoder, a generator, a classifier or a discriminator on a data set: figures by name, and what they
 * stand on.
 * @throws UserError for options, a model or data that do not fit; the signal's reason when it is aborted
 */
export const judge = ({ runtime: name, ...options }: JudgeOptions & Running & JudgeHooks): Promise<Judgment> => {
  const { threads, signal, onProgress, ...task } = options;
  return judgeWith(task, platform, { name, threads, signal, onProgress });
};

/**
 * Opens a network or a method once for many pictures; `dispose` ends its runtime.
 * @throws UserError for options or a model that do not fit
 */
export async function openUpscaler({ runtime, threads, ...task }: UpscaleOptions & Running = {}): Promise<Upscaler> {
  const started = lazyRuntime(platform, { name: runtime, threads });
  const upscaler = await openWith(task, platform, started);
  const dispose = async (): Promise<void> => {
    await upscaler.dispose();
    await started.dispose();
  };
  return { ...upscaler, dispose };
}

/** Options of a training and how it runs, apart. */
function parted({ runtime: name, threads, signal, ...options }: Running): { options: object; tools: TaskTools } {
  const choice = { name, threads };
  return { options, tools: { platform, choice, runtime: lazyRuntime(platform, choice), signal } };
}

/**
 * Trains by a recipe, shipped or your own, into a new run folder; yields a tick per step and one at the end.
 * @throws UserError for options or data that do not fit, or when losses become infinite
 */
export async function* train<O extends z.ZodObject>(
  recipe: RecipeDefinition<O>,
  given: TrainOptions & Running & z.input<O>,
): AsyncGenerator<TrainTick, void> {
  const { options, tools } = parted(given);
  yield* trainTask.run(recipe as unknown as RecipeDefinition, options as TrainOptions, tools);
}

/**
 * Goes on with a run where it stopped; `recipe` where it was one of your own.
 * @throws UserError for a folder without a run, or options that it was not started with
 */
export async function* resume(
  folder: string,
  { recipe, ...given }: ResumeOptions & Running & { readonly recipe?: RecipeDefinition } = {},
): AsyncGenerator<TrainTick, void> {
  const { options, tools } = parted(given);
  yield* resumeTask.run(recipe ? { folder, recipe } : folder, options, tools);
}

/**
 * Times steps of a recipe's training from its first weights, 20 unless `profileSteps` says otherwise, and tells where
 * their time goes by layer, by what kernels do, and outside of them. Runs on "cpu" alone; no run is made.
 * @throws UserError for options or data that do not fit, or another runtime
 */
export async function profile<O extends z.ZodObject>(
  recipe: RecipeDefinition<O>,
  options: Omit<TrainOptions, "run"> & Running & { readonly profileSteps?: number } & z.input<O>,
): Promise<StepProfile> {
  const { runtime: name, threads, signal, profileSteps: steps = 20, ...task } = options;
  const asked = { ...task, run: "(no run)" } as unknown as TrainOptions;
  const training = await planTraining(recipe, asked, platform, { name, threads });
  return training.profile({ steps: steps, signal });
}

/**
 * What a file says of itself: what made it, and a model's card; `shownText` prints it.
 * @throws UserError for a file that is not there, and for one that does not tell
 */
export const show = door.show;

/**
 * What made a file, as it says itself or as the file NAME.imago.json beside it does; undefined where neither tells.
 * @throws UserError for a file that is not there, and for a record that is damaged or of a later version
 */
export const readProvenance = (file: string | Uint8Array): Promise<Provenance | undefined> =>
  readRecord(file, platform);

/**
 * What made an output of a task, for `writePicture` and `writeAnimation` to be given as `provenance`.
 * @throws UserError where a model that the options name is not there
 */
export const recordOf = (task: string, options: Readonly<Record<string, unknown>>): Promise<Provenance> =>
  recordWith({ task, options }, platform);

/**
 * Loads a shipped model by name, a model file, or a run's folder.
 * @throws UserError for a name that leads nowhere, or a file that holds no model
 */
export const loadModel = (name: string, options?: LoadOptions): Promise<LoadedModel> =>
  loadWith(name, platform, options);

/** Names of the models that come with the package. */
export const listModels = (): Promise<readonly string[]> => listWith(platform);

/**
 * Writes a model as .onnx or .safetensors, by the name's ending; with a record of what made it unless `metadata` is
 * false.
 * @throws UserError for a model or a name that do not fit, or a file that is there already unless `force` is set
 */
export async function exportModel(
  model: LoadedModel | string,
  path: string,
  { force = false, metadata = true } = {},
): Promise<void> {
  await door.exportModel(model, { output: path, force, metadata });
}
