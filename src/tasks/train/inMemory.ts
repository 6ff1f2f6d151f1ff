import type { z } from "zod";
import type { Examples, PartFormat } from "../../data/exampleSource.ts";
import type { Batch } from "../../data/kind.ts";
import type { DataSource } from "../../data/source.ts";
import type { Runtime, Tensors } from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import { type LoadedModel, modelOf } from "../../modelFiles/model.ts";
import type { Networks, RecipeDefinition } from "../../recipes/index.ts";
import { readState, readWeights } from "../../train/checkpoint.ts";
import { openStages } from "../../train/stages.ts";
import { openRecipe } from "../../train/step.ts";
import { checkRecipeOptions, trainOptions } from "./options.ts";

/** What a learner is asked for besides its recipe's own options; the learning rate falls over `steps`. */
export const learnOptions = trainOptions.pick({ steps: true, seed: true });

export type LearnOptions = z.input<typeof learnOptions>;

/** What a learner works with. */
export interface LearnTools {
  readonly runtime: Runtime;
  /** Opens the set that is learned from, at the size that the recipe asks for: `openShapes`, or one of your own. */
  open(format: PartFormat): Promise<Examples>;
}

/**
 * A training in memory, without a run's folder: whoever holds it calls for each step and looks at the network when it
 * likes.
 */
export interface Learner {
  /**
   * One step, one after the other. Returns losses and metrics by name; none, and nothing leaves the device, unless
   * shown.
   */
  step(hooks?: { readonly isShown?: boolean }): Promise<Record<string, number>>;
  /** The recipe's main result as it is now. */
  model(): Promise<LoadedModel>;
  /** Weights, averages and moments by name, as a step has them. */
  read(): Promise<Tensors>;
  dispose(): Promise<void>;
}

/**
 * Compiles a recipe's step with first weights, to learn from examples that lie in memory or are drawn.
 * @throws UserError for wrong options, and for a recipe whose kind of data cannot be had in memory
 */
export const openLearner = <O extends z.ZodObject, N extends Networks, B extends Batch>(
  recipe: RecipeDefinition<O, N, B>,
  options: LearnOptions & z.input<O>,
  tools: LearnTools,
): Promise<Learner> => prepare(recipe as unknown as RecipeDefinition, options, tools);

async function prepare(
  recipe: RecipeDefinition,
  options: Readonly<Record<string, unknown>>,
  { runtime, open }: LearnTools,
): Promise<Learner> {
  const where = (name: string): string => `learn › ${name}`;
  const { recipeOptions, runOptions } = checkRecipeOptions(recipe, options, learnOptions, where);
  const { steps, seed } = runOptions;
  const { data, stages: planned, results } = openRecipe(recipe, { options: recipeOptions, steps, seed });
  if (!data.inMemory)
    throw userError(recipe.name, "expected a recipe for pictures of one size, got one for patches of photographs");
  const batches = aheadOf(
    data.inMemory.source(await open({ ...data.inMemory.format, part: "train" }), seed, recipe.name),
  );
  const stages = openStages(planned, runtime);
  await stages.open(1);

  const [main] = results;
  let count = 0;
  return {
    async step({ isShown = true } = {}) {
      const at = ++count;
      const feeds = await batches.take(at);
      const running = stages.run(at, feeds, isShown ? {} : { numbers: [] });
      batches.prepare(at + 1); // while that step runs
      return (await running).losses;
    },
    read: () => readState(stages),
    model: async () => modelOf(main.network, await readWeights(stages), main.usage, recipe.name),
    dispose: () => stages.dispose(),
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
