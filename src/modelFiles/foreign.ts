import type { Tensors } from "../engine/index.ts";
import { userError } from "../errors.ts";
import { models } from "../models/index.ts";
import type { Use } from "../nn/use.ts";
import type { LoadedModel } from "./model.ts";
import type { LoadOptions } from "./names.ts";
import { assemble } from "./own.ts";

/** The first model that recognizes weights of another program. */
export function adopted(tensors: Tensors) {
  for (const definition of models) {
    const found = definition.adopt?.(tensors);
    if (found) return { definition, ...found };
  }
  return undefined;
}

/**
 * Weights that another program saved.
 * @throws UserError for weights of no model of ours, or of an upscaler without a scale
 */
export function adopt(tensors: Tensors, path: string, { scale }: LoadOptions): LoadedModel {
  const found = adopted(tensors);
  if (!found) {
    const known = models.filter((one) => one.adopt).map((one) => one.name);
    throw userError(
      path,
      `expected weights of ${known.join(", ")}, got other tensors`,
      "These are weights of another model, or the file is damaged.",
    );
  }
  const isUpscaler = found.usage.task === "upscale";
  if (isUpscaler && scale === undefined)
    throw userError(path, "expected to be told what these foreign weights enlarge by, got no scale", "Give a scale.");
  const usage = (isUpscaler ? { ...found.usage, scale } : found.usage) as Use;
  return assemble({ ...found, usage, card: {}, path });
}
