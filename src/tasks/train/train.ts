import { z } from "zod";
import type { DataSource } from "../../data/source.ts";
import { checkStep, type Runtime } from "../../engine/index.ts";
import { option, userError } from "../../errors.ts";
import type { Provenance } from "../../image/provenance.ts";
import { modelMetadata, recordText } from "../../modelFiles/metadata.ts";
import { type Network, network, parameterCount } from "../../nn/model.ts";
import type { Use } from "../../nn/use.ts";
import { checkOptions } from "../../options/schema.ts";
import type { Platform, RuntimeChoice } from "../../platform/platform.ts";
import { type RecipeDefinition, recipes } from "../../recipes/index.ts";
import { type FitPlan, fit, type Tick } from "../../train/fit.ts";
import type { StepProfile } from "../../train/profile.ts";
import { openRun, type ResultFile, type Run, type RunDescription, readDone, readRun } from "../../train/run.ts";
import { type OpenedRecipe, openRecipe, type Result } from "../../train/step.ts";
import { publicText } from "../common/record.ts";
import type { WatcherFor } from "../common/watching.ts";
import { watchUse, workOf } from "../uses.ts";
import { animateSamples } from "./animation.ts";
import { firstWeights, openGiven } from "./givenModels.ts";
import { checkRecipeOptions, findRecipe, type RunOptions, type TrainOptions, trainOptions } from "./options.ts";
import { type ProfileHooks, profileOn } from "./profile.ts";
import { trainingRecord } from "./record.ts";

/** A training ready to start. */
export interface Training {
  /** Folder of the run. */
  readonly folder: string;
  readonly recipe: RecipeDefinition;
  readonly description: RunDescription;
  readonly steps: number;
  /** The network whose weights are the main result. */
  readonly network: Network;
  readonly usage: Use;
  /** How many numbers the network learns. */
  readonly parameters: number;
  /** Trains, tick by tick. Aborting the signal saves after the running step. Nothing was written before. */
  start(hooks?: { readonly signal?: AbortSignal }): AsyncGenerator<TrainTick, void>;
  /** Takes steps of the last stage to see where their time goes; nothing is written. */
  profile(hooks: ProfileHooks): Promise<StepProfile>;
}

/**
 * Prepares a new training: checks options, looks through the data, and writes nothing yet.
 * @throws UserError for wrong options, data that cannot be used, and a folder that holds a run
 */
export async function planTraining(
  recipe: RecipeDefinition,
  options: TrainOptions & Readonly<Record<string, unknown>>,
  platform: Platform,
  runtime: RuntimeChoice = {},
): Promise<Training> {
  const where = (name: string): string => `train › ${name}`;
  if (!(recipe?.options instanceof z.ZodObject))
    throw userError(
      where("recipe"),
      `expected a recipe, got ${JSON.stringify(recipe)}`,
      'import { srcnn } from "imago"',
    );
  const checked = checkRecipeOptions(recipe, options, trainOptions, where);
  const device = { threads: platform.threads, ...defined(runtime) }; // kept: sums depend on the number of threads
  return prepare({ ...checked, recipe, runtime: device, resume: false }, platform);
}

/** What may change when a run goes on. */
export type ResumeOptions = Partial<Omit<TrainOptions, "run" | "seed" | "start">>;

/**
 * Prepares to go on with a run: its options are read from its folder.
 * @throws UserError for a folder without a run, and for changes that it cannot take
 */
export async function planResume(
  folder: string,
  changes: ResumeOptions,
  platform: Platform,
  { runtime = {}, recipe: own }: { readonly runtime?: RuntimeChoice; readonly recipe?: RecipeDefinition } = {},
): Promise<Training> {
  const { recipe: name, options, settings = {}, seed } = await readRun(folder, platform.files);
  const { runtime: before, ...kept } = settings as { readonly runtime?: RuntimeChoice } & Record<string, unknown>;
  const where = (name: string): string => `${folder}/options.json › ${name}`;
  const recipe = findRecipe(name, own ? [own] : recipes);
  const recipeOptions = checkOptions(recipe.options, options, where);
  const schema = trainOptions.extend(recipe.data(recipeOptions).options.shape);
  const runOptions = checkOptions(schema, { ...kept, ...defined(changes), seed, run: folder }, where) as RunOptions;
  const done = await readDone(folder, platform.files);
  if (runOptions.steps < done)
    throw userError(option("steps"), `expected at least the ${done} that the run has taken, got ${runOptions.steps}`);
  return prepare(
    { recipe, recipeOptions, runOptions, runtime: { ...before, ...defined(runtime) }, resume: true },
    platform,
  );
}

const defined = <T extends object>(values: T): Partial<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;

interface Request {
  readonly recipe: RecipeDefinition;
  readonly recipeOptions: Readonly<Record<string, unknown>>;
  readonly runOptions: RunOptions;
  readonly runtime: RuntimeChoice;
  readonly resume: boolean;
}

/** All that a start needs. */
interface Prepared {
  readonly request: Request;
  readonly opened: OpenedRecipe;
  readonly source: DataSource;
  readonly description: RunDescription;
  /** What makes the outputs; undefined where they are not to tell. */
  readonly made: Provenance | undefined;
  readonly watcherFor: WatcherFor;
  readonly platform: Platform;
}

async function prepare(request: Request, platform: Platform): Promise<Training> {
  const { recipe, runOptions } = request;
  await checkFolder(request, platform);
  const opened = await open(request, platform);
  const { seed, data } = runOptions;
  const source = await opened.data.open({ data, seed, options: { ...runOptions } }, platform);
  const description = describe(request, source, platform);
  const [{ network, usage }] = opened.results;
  const made = runOptions.metadata ? await trainingRecord({ recipe, runOptions, description }, platform) : undefined;
  const watcherFor = await watchUse({ network, usage, options: runOptions, source }, platform);
  return {
    folder: runOptions.run,
    recipe,
    description,
    steps: runOptions.steps,
    network,
    usage,
    parameters: parameterCount(network),
    start: ({ signal } = {}) => start({ request, opened, source, description, made, watcherFor, platform }, signal),
    profile: (hooks) => profileOn(platform, request.runtime, { stage: opened.stages.at(-1)!, source }, hooks),
  };
}

/** The recipe with its options, and with the models that they name. */
async function open({ recipe, recipeOptions: options, runOptions }: Request, platform: Platform) {
  const { steps, seed, start, remat, accumulate } = runOptions;
  const given = await openGiven(recipe, options, platform);
  const settings = { options, steps, seed, given, remat, accumulate };
  const opened = openRecipe(recipe, settings);
  if (remat || accumulate > 1) for (const stage of opened.stages) checkStep(stage.plan());
  if (start === undefined) return opened;
  return openRecipe(recipe, { ...settings, start: await firstWeights(start, opened.results[0].network, platform) });
}

async function* start(prepared: Prepared, signal: AbortSignal | undefined): AsyncGenerator<TrainTick, void> {
  const { request, description, platform } = prepared;
  const { files, codec } = platform;
  const runtime = await platform.runtime(request.runtime);
  try {
    const { resume, runOptions } = request;
    const writing = { files, writePicture: codec.write, resume, made: prepared.made };
    const run = await openRun(runOptions.run, description, writing);
    try {
      for await (const tick of fit(fitPlan(prepared, run, runtime), { runtime, signal }))
        yield isLast(tick) ? await withAnimation(tick, prepared) : tick;
    } finally {
      await run.close();
    }
  } finally {
    await runtime.dispose();
  }
}

/** The news of a step, and at the end the animation of the samples. */
export type TrainTick = Tick & { readonly animation?: string };

const isLast = ({ weights, interrupted }: Tick): boolean => weights !== undefined || interrupted === true;

async function withAnimation(tick: Tick, prepared: Prepared): Promise<TrainTick> {
  const { request, opened, platform, made } = prepared;
  if (!workOf(opened.results[0].usage.task).hasAnimation) return tick;
  const animation = await animateSamples(
    request.runOptions.run,
    tick.step,
    platform,
    made && { ...made, step: tick.step },
  );
  return { ...tick, ...(animation !== undefined && { animation }) };
}

function fitPlan(prepared: Prepared, run: Run, runtime: Runtime): FitPlan {
  const { request, opened, source, watcherFor } = prepared;
  const { steps, log, save, sample } = request.runOptions;
  const files = opened.results.map((result, at) => ({
    ...fileOf(result, prepared),
    ...(at > 0 && { name: result.name }), // the main one is weights.safetensors
  }));
  return {
    stages: opened.stages,
    source,
    steps,
    every: { log, save, sample },
    ...watcherFor(runtime),
    run,
    results: files,
  };
}

/** What is written of a result, and what its file says of how it came to be. */
function fileOf({ network, usage }: Result, { request, source, made, platform }: Prepared): ResultFile {
  const { recipe, runOptions } = request;
  const { steps, seed, start } = runOptions;
  const { count, sha256 } = source.description;
  const classes = "classes" in usage && usage.classes > 0 ? source.classes : undefined;
  const card = {
    recipe: recipe.name,
    data: `${count} pictures, sha256 ${sha256}`,
    steps: String(steps),
    seed: String(seed),
    ...(start !== undefined && { start: publicText(start, platform) }),
    ...(classes && { classes: JSON.stringify(classes) }),
  };
  return { keep: keysOf(network), metadata: { ...modelMetadata(network, usage, card), ...recordText(made) } };
}

/** Keys of the weights that a network needs when it is used; some statistics are for training alone. */
const keysOf = ({ model, options, key }: Network): readonly string[] =>
  network(model, options, key)
    .parameters()
    .map(({ attributes }) => `${key}/${attributes.name}`);

async function checkFolder({ runOptions: { run }, resume }: Request, { files }: Platform): Promise<void> {
  if (!resume && (await files.exists(`${run}/options.json`)))
    throw userError(run, "expected a new folder, got a run that exists", `Use ${option("resume")} or another folder.`);
}

function describe(
  { recipe, recipeOptions, runOptions, runtime }: Request,
  source: DataSource,
  { versions }: Platform,
): RunDescription {
  const { seed, run: _, ...settings } = runOptions;
  return {
    recipe: recipe.name,
    options: recipeOptions,
    settings: { ...settings, runtime },
    seed,
    data: source.description,
    versions,
  };
}
