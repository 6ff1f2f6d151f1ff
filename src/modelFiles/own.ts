import type { Tensors } from "../engine/index.ts";
import { userError } from "../errors.ts";
import type { Provenance } from "../image/provenance.ts";
import { models } from "../models/index.ts";
import { bindWeights, type ModelDefinition, network } from "../nn/model.ts";
import { type Use, useIn } from "../nn/use.ts";
import { oneOf } from "../options/schema.ts";
import type { Platform } from "../platform/platform.ts";
import { type SafetensorsFile, writeSafetensors } from "../tensor/safetensors.ts";
import { cardOf, format, metadataOf, parseJson, recordText } from "./metadata.ts";
import { type Card, type LoadedModel, modelOf } from "./model.ts";
import { stem } from "./names.ts";

const wrong = "These are weights of another model, or the file is damaged.";

const definitionOf = (name: string | undefined, path: string): ModelDefinition => {
  const definition = models.find((one) => one.name === name);
  if (definition) return definition;
  const known = oneOf(models.map((one) => one.name));
  throw userError(path, `expected a model of this version (${known}), got ${name ?? "none"}`, "Update Imago.");
};

/**
 * Reads a model that this package wrote.
 * @throws UserError for a file of another version, or one that is damaged
 */
export function fromOwn({ tensors, metadata }: SafetensorsFile, path: string): LoadedModel {
  if (metadata.version !== format.version)
    throw userError(
      path,
      `expected format version ${format.version}, got ${metadata.version ?? "none"}`,
      "Update Imago.",
    );
  const definition = definitionOf(metadata.model, path);
  const usage = useIn(parseJson(metadata.usage));
  if (!usage) throw userError(path, `expected a usage that says what the model does, got ${metadata.usage}`);
  const bare = withoutNetwork(tensors);
  return assemble({
    definition,
    options: parseJson(metadata.options),
    weights: bare,
    usage,
    card: cardOf(metadata),
    path,
  });
}

/** Training writes "network/parameter"; the file of one network needs the parameter's name alone. */
const withoutNetwork = (tensors: Tensors): Tensors => {
  const [first = ""] = Object.keys(tensors);
  const prefix = first.slice(0, first.indexOf("/") + 1);
  if (!Object.keys(tensors).every((name) => name.startsWith(prefix))) return tensors;
  return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name.slice(prefix.length), value]));
};

/** What a network of this package is put together from. */
export interface ModelParts {
  readonly definition: ModelDefinition;
  readonly options: unknown;
  readonly weights: Tensors;
  readonly usage: Use;
  readonly card: Card;
  readonly path: string;
}

/**
 * A loaded model of a definition and its weights, checked against each other.
 * @throws UserError for options or weights that do not fit the definition
 */
export function assemble({ definition, options, weights, usage, card, path }: ModelParts): LoadedModel {
  const checked = definition.options.safeParse(options);
  if (!checked.success) throw userError(path, `expected options that ${definition.name} takes, got others`, wrong);
  const made = network(definition, checked.data);
  const bound = bindWeights(made, weights, path);
  const model = { ...modelOf(made, bound, usage, nameOf(definition.name, usage, path)), path, card };
  if (usage.task !== "upscale") return model;
  const [planes, channels] = [usage.color === "y" ? 1 : 3, model.example[1]];
  if (channels !== planes) throw userError(path, `expected ${planes} planes for its usage, got ${channels}`, wrong);
  return model;
}

/** A file's own name, or "srcnn-x2" where that says nothing. */
const nameOf = (model: string, usage: Use, path: string): string => {
  if (!["weights", "best", "model"].includes(stem(path))) return stem(path);
  return usage.task === "upscale" ? `${model}-x${usage.scale}` : model;
};

/** How a model is packed. */
export interface PackOptions {
  /** Numbers as float16, in half the space. */
  readonly half?: boolean;
  /** What made the file, to be carried by it; nothing unless given. */
  readonly provenance?: Provenance | undefined;
}

/**
 * A model as the bytes of a .safetensors file.
 * @throws UserError for a network that is known as a graph only
 */
export function packModel(model: LoadedModel, { half, provenance }: PackOptions = {}): Uint8Array {
  const { network: made, weights, path } = model;
  if (!made) throw userError(path, "expected a model of this package, got a network that is known as a graph only");
  const metadata = { ...metadataOf(model), ...recordText(provenance) };
  return writeSafetensors(withoutNetwork(weights), metadata, { half });
}

/** Writes a model to a .safetensors file. */
export async function saveModel(path: string, model: LoadedModel, platform: Platform, force = false): Promise<void> {
  await platform.checkTarget(path, force);
  await platform.files.write(path, packModel(model));
}
