import type { StepPlan } from "../engine/index.ts";
import type { Network } from "../nn/model.ts";
import type { RecipeDefinition } from "../recipes/index.ts";
import { batchInputs } from "./trainData.ts";

/** A recipe's step as a plan: its losses over a batch, and what moves what. `options` are checked. Networks are complete after it. */
export function stepPlan(
  recipe: RecipeDefinition,
  networks: Readonly<Record<string, Network>>,
  options: Readonly<Record<string, unknown>>,
): StepPlan {
  const scalars = Object.entries(recipe.losses(networks, batchInputs(recipe.data(options)), options));
  return {
    losses: Object.fromEntries(scalars.filter(([key]) => key in networks)),
    metrics: Object.fromEntries(scalars.filter(([key]) => !(key in networks))),
    optimizers: recipe.optimizers(options),
    averages: Object.values(networks).flatMap(({ averages }) => averages),
    ema: recipe.emaDecay ? [recipe.result(options).network] : [],
    clipNorm: recipe.clipNorm,
    watchNorms: Object.keys(networks).length > 1, // players must be seen to keep each other going
  };
}
