import type { Node, StepPlan, Turn } from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import type { Network } from "../../nn/model.ts";
import type { RecipeDefinition } from "../../recipes/index.ts";
import { batchInputs } from "./trainData.ts";

type Options = Readonly<Record<string, unknown>>;

/** How the memory of a step is kept small; none of it changes what is learned. */
export interface MemorySettings {
  readonly remat?: boolean;
  /** Parts that a batch is worked through in; divides the batch. */
  readonly accumulate?: number;
}

/** A batch of a recipe, or the part of it that is worked on at a time. */
function partOf(recipe: RecipeDefinition, options: Options, accumulate: number) {
  const data = recipe.data(options);
  const batch = data.batch / accumulate;
  if (!Number.isInteger(batch))
    throw userError("accumulate", `expected a number that divides the batch of ${data.batch}, got ${accumulate}`);
  return { data: { ...data, batch }, options: "batch" in options ? { ...options, batch } : options };
}

/** A recipe's step as a plan: its losses over a batch, and what moves what. `options` are checked. Networks are complete after it. */
export function stepPlan(
  recipe: RecipeDefinition,
  networks: Readonly<Record<string, Network>>,
  options: Options,
  { remat = false, accumulate = 1 }: MemorySettings = {},
): StepPlan {
  const part = partOf(recipe, options, accumulate);
  const scalars = Object.entries(recipe.losses(networks, batchInputs(part.data), part.options));
  const optimizers = recipe.optimizers(options);
  const turnOf = (key: string, loss: Node): Turn => ({
    moves: [key],
    loss,
    optimizer: optimizers[key]!,
    clipNorm: recipe.clipNorm,
  });
  const moving = scalars.filter(([key]) => key in networks);
  return {
    turns: Object.fromEntries(moving.map(([key, loss]) => [key, turnOf(key, loss)])),
    metrics: Object.fromEntries(scalars.filter(([key]) => !(key in networks))),
    carried: Object.values(networks).flatMap(({ carried }) => carried),
    ema: recipe.emaDecay ? [recipe.result(options).network] : [],
    watchNorms: Object.keys(networks).length > 1, // players must be seen to keep each other going
    remat,
    accumulate,
  };
}
