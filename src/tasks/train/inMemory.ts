import type { z } from "zod";
import type { Examples, PartFormat } from "../../data/exampleSource.ts";
import { checkClasses } from "../../data/openPart.ts";
import type { DataSource } from "../../data/source.ts";
import { compileStep, type Runtime, type Tensors } from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import { type LoadedModel, modelOf } from "../../modelFiles/model.ts";
import { initialWeights } from "../../nn/model.ts";
import { checkOptions } from "../../options/schema.ts";
import type { RecipeDefinition } from "../../recipes/index.ts";
import { readWeights } from "../../train/checkpoint.ts";
import { stepPlan } from "./recipeStep.ts";
import { trainOptions } from "./train.ts";
import { batchesOf } from "./trainData.ts";

/** What a learner is asked for besides its recipe's own options; the learning rate falls over `steps`. */
export const learnOptions = trainOptions.pick({ steps: true, seed: true });

export type LearnOptions = z.input<typeof learnOptions>;

/** What a learner works with. */
export interface LearnTools {
  readonly runtime: Runtime;
  /** Opens the set that is learned from, at the size that the recipe asks for: `openShapes`, or one of your own. */
  open(format: PartFormat): Promise<Examples>;
}

/** A training in memory, without a run's folder: whoever holds it calls for each step and looks at the network when it likes. */
export interface Learner {
  /** One step, one after the other. Returns losses and metrics by name; none, and nothing leaves the device, unless shown. */
  step(hooks?: { readonly isShown?: boolean }): Promise<Record<string, number>>;
  /** The recipe's result as it is now. */
  model(): Promise<LoadedModel>;
  /** Weights, averages and moments by name, as a step has them. */
  read(): Promise<Tensors>;
  dispose(): Promise<void>;
}

/** Compiles a recipe's step with first weights, to learn from examples that lie in memory or are drawn. */
export const openLearner = <O extends z.ZodObject>(
  recipe: RecipeDefinition<O>,
  options: LearnOptions & z.input<O>,
  tools: LearnTools,
): Promise<Learner> => prepare(recipe as unknown as RecipeDefinition, options, tools);

async function prepare(
  recipe: RecipeDefinition,
  options: Readonly<Record<string, unknown>>,
  { runtime, open }: LearnTools,
): Promise<Learner> {
  const { own, steps, seed } = checked(recipe, options);
  const wanted = recipe.data(own);
  if (wanted.kind !== "examples")
    throw userError(recipe.name, "expected a recipe for pictures of one size, got one for patches of photographs");
  const examples = await open({ size: wanted.size, channels: wanted.channels, part: "train" });
  checkClasses(examples, wanted.classes, recipe.name);
  const source = batchesOf(examples, wanted, seed);

  const networks = recipe.networks(own);
  const plan = stepPlan(recipe, networks, own);
  const weights = initialWeights(Object.values(networks), seed);
  const step = await compileStep(plan, { runtime, weights, seed });
  const rate = recipe.schedule(own, steps);
  const result = recipe.result(own);

  const batches = aheadOf(source);
  let count = 0;
  return {
    async step({ isShown = true } = {}) {
      const at = ++count;
      const feeds = await batches.take(at);
      const numbers = { step: at, learningRate: rate(at), emaDecay: recipe.emaDecay?.(own, at) };
      const report = step.run(feeds, numbers, isShown ? {} : { numbers: [] });
      batches.prepare(at + 1); // while that step runs
      return (await report).losses;
    },
    read: () => step.read(),
    async model() {
      return modelOf(networks[result.network]!, await readWeights(step), result.usage, recipe.name);
    },
    dispose: () => step.dispose(),
  };
}

function checked(recipe: RecipeDefinition, options: Readonly<Record<string, unknown>>) {
  const isOwn = (key: string): boolean => key in recipe.options.shape;
  const part = (wanted: boolean) =>
    Object.fromEntries(Object.entries(options).filter(([key]) => isOwn(key) === wanted));
  const where = (name: string): string => `learn › ${name}`;
  return {
    ...checkOptions(learnOptions.strict(), part(false), where),
    own: checkOptions(recipe.options, part(true), where),
  };
}

/** Batches of a source, of which the next one can be made before it is asked for. */
function aheadOf(source: DataSource) {
  let ahead: { readonly step: number; readonly batch: Promise<Tensors> } | undefined;
  return {
    take: (step: number) => (ahead?.step === step ? ahead.batch : source.batch(step)),
    prepare(step: number): void {
      ahead = { step, batch: source.batch(step) };
      ahead.batch.catch(() => undefined); // reported when it is taken
    },
  };
}
