import type { Provenance } from "../../image/provenance.ts";
import type { Platform } from "../../platform/platform.ts";
import type { RecipeDefinition } from "../../recipes/index.ts";
import type { RunDescription } from "../../train/run.ts";
import { modelOptionsOf, recordOf } from "../common/record.ts";
import type { RunOptions } from "./options.ts";

/** What is being trained. */
export interface Recorded {
  readonly recipe: RecipeDefinition;
  readonly runOptions: RunOptions;
  readonly description: RunDescription;
}

/**
 * What makes the outputs of a training: the recipe with its options, the options of the run that decide weights, the
 * seed, and what is learned from. Folders and intervals are left out.
 * @throws UserError where a model that the options name is not there
 */
export async function trainingRecord(
  { recipe, runOptions, description: { options, data } }: Recorded,
  platform: Platform,
): Promise<Provenance> {
  const { steps, seed, start, accumulate, remat } = runOptions;
  const ofData = Object.entries(runOptions).filter(([name]) => name in recipe.data(options).options.shape);
  const all = { recipe: recipe.name, ...options, ...Object.fromEntries(ofData), steps, seed, start, accumulate, remat };
  const made = await recordOf({ task: "train", options: all, models: modelOptionsOf(recipe.options) }, platform);
  return { ...made, data: { count: data.count, sha256: data.sha256 } };
}
