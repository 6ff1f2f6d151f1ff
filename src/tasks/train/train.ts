import { z } from "zod";
import type { DataSource } from "../../data/source.ts";
import { checkStep, compileStep, type Runtime, type StepOptions, type StepPlan } from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import type { Provenance } from "../../image/provenance.ts";
import { modelMetadata } from "../../modelFiles/metadata.ts";
import { initialWeights, type Network, network, parameterCount } from "../../nn/model.ts";
import type { Usage } from "../../nn/usage.ts";
import { checkOptions, oneOf } from "../../options/schema.ts";
import type { Platform, RuntimeChoice } from "../../platform/platform.ts";
import { type RecipeDefinition, recipes } from "../../recipes/index.ts";
import { type FitPlan, fit, type Tick } from "../../train/fit.ts";
import type { StepProfile } from "../../train/profile.ts";
import { openRun, type Run, type RunDescription, readCheckpoint, readRun } from "../../train/run.ts";
import { trainingRecord } from "../common/record.ts";
import type { Sampler } from "../common/watching.ts";
import { animateSamples } from "./animation.ts";
import { type ProfileHooks, profileOn } from "./profile.ts";
import { stepPlan } from "./recipeStep.ts";
import { openData } from "./trainData.ts";
import { planSampler } from "./watch.ts";

/** What a training needs besides its recipe's own options. */
export const trainOptions = z.object({
  data: z
    .array(z.string().min(1))
    .min(1)
    .describe("folders, pictures or patterns to learn from; recipes for small pictures take a data set or shapes")
    .meta({ repeated: true, placeholder: "path" }),
  cell: z.int().min(4).max(1024).optional().describe("side of a picture on a sprite sheet, in pixels"),
  run: z
    .string()
    .min(1)
    .describe("folder of the run; made, and must not exist; runs/ and the recipe's name on the command line")
    .meta({ placeholder: "folder" }),
  steps: z.int().min(1).max(100_000_000).default(10_000).describe("steps to train for"),
  seed: z.int().min(0).max(4_294_967_295).default(0).describe("seed of weights, patches and noise"),
  validate: z
    .string()
    .min(1)
    .optional()
    .describe("folder of pictures to score at every sample; not learned from")
    .meta({ placeholder: "folder" }),
  judge: z
    .string()
    .min(1)
    .optional()
    .describe("for generators: the classifier whose features give KID or FID at every sample")
    .meta({ placeholder: "model" }),
  keepBest: z
    .enum(["kid", "fid"])
    .optional()
    .describe("for generators: keep the weights of the lowest KID or FID by --judge as best.safetensors too"),
  log: z.int().min(1).max(1_000_000).default(100).describe("steps from one line of metrics to the next"),
  save: z.int().min(1).max(1_000_000).default(1000).describe("steps from one checkpoint to the next"),
  sample: z.int().min(1).max(1_000_000).default(1000).describe("steps from one sample to the next"),
  accumulate: z
    .int()
    .min(1)
    .max(256)
    .default(1)
    .describe("parts that a batch is worked through in, one after the other, for less memory; not with batch norm"),
  remat: z
    .boolean()
    .default(false)
    .describe("compute blocks of layers again in the backward pass, for less memory; for networks that mark blocks"),
  metadata: z.boolean().default(true).describe("write no record of what made them into samples and loss.png"),
  memory: z.int().min(64).max(65_536).default(1024).describe("memory for decoded pictures, in MiB"),
});

export type TrainOptions = z.input<typeof trainOptions>;
type Checked = z.output<typeof trainOptions>;

/** A training ready to start. */
export interface Training {
  /** Folder of the run. */
  readonly folder: string;
  readonly recipe: RecipeDefinition;
  readonly description: RunDescription;
  readonly steps: number;
  /** The network whose weights are the result. */
  readonly network: Network;
  readonly usage: Usage;
  /** How many numbers the network learns. */
  readonly parameters: number;
  /** Trains, tick by tick. Aborting the signal saves after the running step. Nothing was written before. */
  start(hooks?: { readonly signal?: AbortSignal }): AsyncGenerator<TrainTick, void>;
  /** Takes steps to see where their time goes; nothing is written. */
  profile(hooks: ProfileHooks): Promise<StepProfile>;
}

export const findRecipe = (name: string, known: readonly RecipeDefinition[] = recipes): RecipeDefinition => {
  const found = known.find((recipe) => recipe.name === name);
  if (found) return found;
  throw userError("recipe", `expected ${oneOf(known.map((recipe) => recipe.name))}, got "${name}"`);
};

/** Prepares a new training: checks options, looks through the data, and writes nothing yet. */
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
  const own = Object.fromEntries(Object.entries(options).filter(([key]) => key in recipe.options.shape));
  const rest = Object.fromEntries(Object.entries(options).filter(([key]) => !(key in recipe.options.shape)));
  const checked = checkOptions(trainOptions.strict(), rest, where);
  const device = { threads: platform.threads, ...defined(runtime) }; // kept: sums depend on the number of threads
  return prepare(
    { recipe, own: checkOptions(recipe.options, own, where), checked, runtime: device, resume: false },
    platform,
  );
}

/** What may change when a run goes on. */
export type ResumeOptions = Partial<Omit<TrainOptions, "run" | "seed">>;

/** Prepares to go on with a run: its options are read from its folder. */
export async function planResume(
  folder: string,
  changes: ResumeOptions,
  platform: Platform,
  { runtime = {}, recipe: own }: { readonly runtime?: RuntimeChoice; readonly recipe?: RecipeDefinition } = {},
): Promise<Training> {
  const { recipe: name, options, settings = {}, seed } = await readRun(folder, platform.files);
  const { runtime: before, ...kept } = settings as { readonly runtime?: RuntimeChoice } & Record<string, unknown>;
  const where = (option: string): string => `${folder}/options.json › ${option}`;
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const checked = checkOptions(trainOptions, { ...kept, ...given, seed, run: folder }, where);
  const done = (await readCheckpoint(folder, platform.files))?.step ?? 0;
  if (checked.steps < done)
    throw userError("steps", `expected at least the ${done} that the run has taken, got ${checked.steps}`);
  const recipe = findRecipe(name, own ? [own] : recipes);
  return prepare(
    {
      recipe,
      own: checkOptions(recipe.options, options, where),
      checked,
      runtime: { ...before, ...defined(runtime) },
      resume: true,
    },
    platform,
  );
}

const defined = <T extends object>(values: T): Partial<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;

interface Request {
  readonly recipe: RecipeDefinition;
  /** The recipe's own options. */
  readonly own: Readonly<Record<string, unknown>>;
  readonly checked: Checked;
  readonly runtime: RuntimeChoice;
  readonly resume: boolean;
}

/** All that a start needs. */
interface Prepared {
  readonly request: Request;
  readonly networks: Readonly<Record<string, Network>>;
  readonly source: DataSource;
  readonly training: ReturnType<typeof stepsOf>;
  readonly description: RunDescription;
  readonly samplerFor: (runtime: Runtime) => Sampler;
  readonly platform: Platform;
}

async function prepare(request: Request, platform: Platform): Promise<Training> {
  const { recipe, own, checked, resume } = request;
  await checkFolder(checked.run, resume, platform);
  if (checked.remat || checked.accumulate > 1) checkStep(stepPlan(recipe, recipe.networks(own), own, checked));
  const networks = recipe.networks(own);
  const { network: key, usage } = recipe.result(own);
  const network = networks[key]!;
  const source = await openData(recipe.data(own), checked, platform);
  const training = stepsOf(request, networks, source);
  const description = describe(request, source, platform);
  const samplerFor = await planSampler({ network, usage, checked, source }, platform);
  return {
    folder: checked.run,
    recipe,
    description,
    steps: checked.steps,
    network,
    usage,
    parameters: parameterCount(network),
    start: ({ signal } = {}) =>
      start({ request, networks, source, training, description, samplerFor, platform }, signal),
    profile: (hooks) => profileOn(platform, request.runtime, training, hooks),
  };
}

async function* start(prepared: Prepared, signal: AbortSignal | undefined): AsyncGenerator<TrainTick, void> {
  const { request, description, platform } = prepared;
  const { files, codec } = platform;
  const runtime = await platform.runtime(request.runtime);
  try {
    const { resume, checked } = request;
    const provenance = recordAt(prepared);
    const run = await openRun(checked.run, description, { files, writePicture: codec.write, provenance, resume });
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

/** What made the pictures of a step; undefined where they are not to tell. */
const recordAt = ({ request, description, platform }: Prepared): ((step: number) => Provenance) | undefined =>
  request.checked.metadata ? (step) => trainingRecord(description, step, platform) : undefined;

/** The news of a step, and at the end the animation of the samples. */
export type TrainTick = Tick & { readonly animation?: string };

const isLast = ({ weights, interrupted }: Tick): boolean => weights !== undefined || interrupted === true;

/** Small pictures grow out of noise; enlarged ones hardly move. */
async function withAnimation(tick: Tick, prepared: Prepared): Promise<TrainTick> {
  const { request, platform } = prepared;
  const { recipe, own, checked } = request;
  const { task } = recipe.result(own).usage;
  if (task !== "generate" && task !== "reconstruct") return tick;
  const animation = await animateSamples(checked.run, tick.step, platform, recordAt(prepared)?.(tick.step));
  return { ...tick, ...(animation !== undefined && { animation }) };
}

/** The steps of a training, whatever becomes of them. */
function stepsOf({ recipe, own, checked }: Request, networks: Readonly<Record<string, Network>>, source: DataSource) {
  let plan: StepPlan | undefined; // made once: networks note what each call lets follow
  return {
    prepare(runtime: Runtime, options: Pick<StepOptions, "profile"> = {}) {
      plan ??= stepPlan(recipe, networks, own, checked); // the losses make parameters that no plain call has
      const weights = initialWeights(Object.values(networks), checked.seed);
      return compileStep(plan, { runtime, ...options, weights, seed: checked.seed });
    },
    source,
    schedule: recipe.schedule(own, checked.steps),
    ...(recipe.emaDecay && { emaDecay: (step: number) => recipe.emaDecay!(own, step) }),
  };
}

function fitPlan({ request, networks, source, training, samplerFor }: Prepared, run: Run, runtime: Runtime): FitPlan {
  const { recipe, own, checked } = request;
  const { steps, seed, log, save, sample } = checked;
  const { network: key, usage } = recipe.result(own);
  const { count, sha256 } = source.description;
  const data = `${count} pictures, sha256 ${sha256}`;
  const classes = "classes" in usage && usage.classes > 0 ? source.classes : undefined;
  const card = {
    recipe: recipe.name,
    data,
    steps: String(steps),
    seed: String(seed),
    ...(classes && { classes: JSON.stringify(classes) }),
  };
  return {
    ...training,
    steps,
    every: { log, save, sample },
    ...samplerFor(runtime),
    run,
    keep: keysOf(networks[key]!),
    metadata: modelMetadata(networks[key]!, usage, card),
  };
}

/** Keys of the weights that a network needs when it is used; some statistics are for training alone. */
const keysOf = ({ model, options, key }: Network): readonly string[] =>
  network(model, options, key)
    .parameters()
    .map(({ attributes }) => `${key}/${attributes.name}`);

async function checkFolder(folder: string, resume: boolean, { files }: Platform): Promise<void> {
  if (!resume && (await files.exists(`${folder}/options.json`)))
    throw userError(folder, "expected a new folder, got a run that exists", "Use --resume or another folder.");
}

function describe({ recipe, own, checked, runtime }: Request, source: DataSource, platform: Platform): RunDescription {
  const { seed, run: _, ...settings } = checked;
  return {
    recipe: recipe.name,
    options: own,
    settings: { ...settings, runtime },
    seed,
    data: source.description,
    versions: platform.versions,
  };
}
