import type { Tensors } from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import { loadModel, loadModelFor } from "../../modelFiles/read.ts";
import { bindWeights, type Network } from "../../nn/model.ts";
import type { UseName } from "../../nn/use.ts";
import { optionInfos } from "../../options/schema.ts";
import type { Platform } from "../../platform/platform.ts";
import type { Given, GivenModel, RecipeDefinition } from "../../recipes/index.ts";

const asGiven = ({ network, weights, usage, path }: LoadedModel): GivenModel => {
  if (!network) throw userError(path, "expected a model of this package, got a network that is known as a graph only");
  return { network, weights, usage };
};

/**
 * Opens the models that a recipe's options name.
 * @throws UserError for one that is not there or is for something else
 */
export async function openGiven(
  { options: schema }: RecipeDefinition,
  options: Readonly<Record<string, unknown>>,
  platform: Platform,
): Promise<Given> {
  const given: Record<string, GivenModel> = {};
  for (const { name, model } of optionInfos(schema)) {
    const file = options[name];
    if (model === undefined || typeof file !== "string") continue;
    given[name] = asGiven(await loadModelFor(model as UseName, file, platform));
  }
  return given;
}

/**
 * The weights of a model as first weights of a network of the same kind, keyed "network/parameter".
 * @throws UserError when names or shapes differ
 */
export async function firstWeights(file: string, network: Network, platform: Platform): Promise<Tensors> {
  const { network: theirs, weights } = asGiven(await loadModel(file, platform));
  const bare = Object.entries(weights).map(([key, value]) => [key.slice(theirs.key.length + 1), value]);
  return bindWeights(network, Object.fromEntries(bare), file);
}
