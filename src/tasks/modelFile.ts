import { input, type Node, type Tensors } from "../engine/index.ts";
import { userError } from "../errors.ts";
import { models } from "../models/index.ts";
import { bindWeights, givenLeaves, type ModelDefinition, type Network, network } from "../nn/model.ts";
import type { Task, Usage, UsageOf } from "../nn/usage.ts";
import { assertFinite, readSafetensors, type SafetensorsFile, writeSafetensors } from "../tensor/safetensors.ts";
import type { Shape } from "../tensor/tensor.ts";
import { findModel, type LoadOptions, stem } from "./modelName.ts";
import { readOnnx } from "./onnx.ts";
import type { Platform } from "./platform.ts";
import { oneOf } from "./schema.ts";
import { usageSchema, verbs } from "./usageSchema.ts";

/** Facts about a model's training, kept in its file as texts. */
export type Card = Readonly<Record<string, string>>;

/** A network with its weights, ready to be compiled. */
export interface LoadedModel<U extends Usage = Usage> {
  /** Short name for tables and file names: "srcnn-x2". */
  readonly name: string;
  /** Where it came from. */
  readonly path: string;
  readonly usage: U;
  /** A shape that it takes, with a batch of one. */
  readonly example: Shape;
  /** Further inputs, where it has some, become leaves of the graph. */
  build(x: Node): Node;
  /** Keyed "network/parameter". */
  readonly weights: Tensors;
  readonly card: Card;
  /** What parts of a picture must overlap by where the network looks at all of it; absent: they do not do. */
  readonly tiling?: ModelDefinition["tiling"];
  /** Absent for networks that are known as a graph only. */
  readonly network?: Network;
}

const reserved = ["format", "version", "model", "options", "usage"];
const format = { format: "imago", version: "1" } as const;
const wrong = "These are weights of another model, or the file is damaged.";

/**
 * Loads a model: a shipped one by name ("srcnn-x2", or "srcnn" and a scale), a .safetensors or .onnx file, or the folder
 * of a training run.
 */
export async function loadModel(name: string, platform: Platform, options: LoadOptions = {}): Promise<LoadedModel> {
  const path = await findModel(name, platform, options);
  const model = readModel(await platform.files.read(path), path, options);
  checkScale(model, name, options);
  return model;
}

/** Reads a model from a file's bytes. @param path names it, and tells an .onnx file by its ending */
export const readModel = (bytes: Uint8Array, path: string, options: LoadOptions = {}): LoadedModel =>
  path.toLowerCase().endsWith(".onnx") ? fromOnnx(bytes, path, options) : fromSafetensors(bytes, path, options);

/** The same for a model of one task. */
export async function loadModelFor<T extends Task>(
  task: T,
  name: string,
  platform: Platform,
  options: LoadOptions = {},
): Promise<LoadedModel<UsageOf<T>>> {
  const model = await loadModel(name, platform, options);
  if (isFor(model, task)) return model;
  throw userError(name, `expected a model that ${verbs[task]}, got one that ${verbs[model.usage.task]}`);
}

/** Whether a model is there for a task. */
export const isFor = <T extends Task>(model: LoadedModel, task: T): model is LoadedModel<UsageOf<T>> =>
  model.usage.task === task;

function checkScale({ usage, name: own }: LoadedModel, name: string, { scale }: LoadOptions): void {
  if (scale === undefined || usage.task !== "upscale" || scale === usage.scale) return;
  throw userError(
    name,
    `expected the scale ${usage.scale} that ${own} was trained for, got ${scale}`,
    "Choose another model or leave the scale out.",
  );
}

/** Reads a model from a .safetensors file's bytes. */
function fromSafetensors(bytes: Uint8Array, path: string, options: LoadOptions): LoadedModel {
  const file = readSafetensors(bytes, path);
  assertFinite(file.tensors, path, "The training went wrong; use an earlier checkpoint.");
  if (file.metadata.format?.startsWith("imago checkpoint"))
    throw userError(
      path,
      "expected a model, got a run's checkpoint",
      "Use the run's folder or its weights.safetensors.",
    );
  return file.metadata.format === format.format ? fromOwn(file, path) : adopt(file.tensors, path, options);
}

const definitionOf = (name: string | undefined, path: string): ModelDefinition => {
  const definition = models.find((one) => one.name === name);
  if (definition) return definition;
  const known = oneOf(models.map((one) => one.name));
  throw userError(path, `expected a model of this version (${known}), got ${name ?? "none"}`, "Update Imago.");
};

const parseJson = (text: string | undefined): unknown => {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
};

function fromOwn({ tensors, metadata }: SafetensorsFile, path: string): LoadedModel {
  if (metadata.version !== format.version)
    throw userError(
      path,
      `expected format version ${format.version}, got ${metadata.version ?? "none"}`,
      "Update Imago.",
    );
  const definition = definitionOf(metadata.model, path);
  const usage = usageSchema.safeParse(parseJson(metadata.usage));
  if (!usage.success) throw userError(path, `expected a usage that says what the model does, got ${metadata.usage}`);
  const bare = withoutNetwork(tensors);
  return assemble({
    definition,
    options: parseJson(metadata.options),
    weights: bare,
    usage: usage.data,
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

/** The first model that recognizes weights of another program. */
function adopted(tensors: Tensors) {
  for (const definition of models) {
    const found = definition.adopt?.(tensors);
    if (found) return { definition, ...found };
  }
  return undefined;
}

/** Weights that another program saved. */
function adopt(tensors: Tensors, path: string, { scale }: LoadOptions): LoadedModel {
  const found = adopted(tensors);
  if (!found) {
    const known = models.filter((one) => one.adopt).map((one) => one.name);
    throw userError(path, `expected weights of ${known.join(", ")}, got other tensors`, wrong);
  }
  const isUpscaler = found.usage.task === "upscale";
  if (isUpscaler && scale === undefined)
    throw userError(path, "expected to be told what these foreign weights enlarge by, got no scale", "Give a scale.");
  const usage = (isUpscaler ? { ...found.usage, scale } : found.usage) as Usage;
  return assemble({ ...found, usage, card: {}, path });
}

interface Parts {
  readonly definition: ModelDefinition;
  readonly options: unknown;
  readonly weights: Tensors;
  readonly usage: Usage;
  readonly card: Card;
  readonly path: string;
}

/** A network with weights as a model: what training shows samples of. @param weights keyed "network/parameter" */
export const modelOf = <U extends Usage>(made: Network, weights: Tensors, usage: U, name: string): LoadedModel<U> => ({
  name,
  path: name,
  usage,
  example: made.model.input(made.options),
  build: (x) => made(x, { given: givenLeaves(made.model, made.options, x.shape[0]) }),
  weights,
  card: {},
  tiling: made.model.tiling,
  network: made,
});

function assemble({ definition, options, weights, usage, card, path }: Parts): LoadedModel {
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
const nameOf = (model: string, usage: Usage, path: string): string => {
  if (!["weights", "best", "model"].includes(stem(path))) return stem(path);
  return usage.task === "upscale" ? `${model}-x${usage.scale}` : model;
};

/** An ONNX network from picture to picture. What it does is in its metadata when it is ours, else read from its shapes. */
function fromOnnx(bytes: Uint8Array, path: string, { scale }: LoadOptions): LoadedModel {
  const { example, build, weights, metadata } = readOnnx(bytes, path);
  assertFinite(weights, path);
  const leaf = input("input", example);
  const output = build(leaf);
  const [ratio, same] = [2, 3].map((axis) => output.shape[axis]! / example[axis]!) as [number, number];
  if (output.shape.length !== 4 || output.shape[1] !== example[1] || ratio !== same || !Number.isInteger(ratio))
    throw userError(
      path,
      `expected a network from picture to picture, got one from [${example.join(", ")}] to [${output.shape.join(", ")}]`,
    );
  const own = usageSchema.safeParse(parseJson(metadata.usage));
  if (!own.success && ratio === 1 && scale === undefined)
    throw userError(
      path,
      "expected to be told what this network's input is enlarged by, got no scale",
      "Give a scale.",
    );
  const usage: Usage = own.success
    ? own.data
    : {
        task: "upscale",
        scale: ratio === 1 ? scale! : ratio,
        color: example[1] === 1 ? "y" : "rgb",
        input: ratio === 1 ? "enlarged" : "lr",
      };
  const name = stem(path);
  return {
    name,
    path,
    usage,
    example,
    build,
    weights,
    card: cardOf(metadata),
  };
}

const cardOf = (metadata: Card): Card =>
  Object.fromEntries(Object.entries(metadata).filter(([key]) => !reserved.includes(key)));

/** The head of a model's file: what it is, what it does, and how it came to be. */
export const modelMetadata = (made: Network, usage: Usage, card: Card = {}): Record<string, string> => ({
  ...card,
  ...format,
  model: made.model.name,
  options: JSON.stringify(made.options),
  usage: JSON.stringify(usage),
});

/** What a model's file says besides the numbers. */
export const metadataOf = ({ network: made, usage, card }: LoadedModel): Record<string, string> =>
  made ? modelMetadata(made, usage, card) : { ...card, ...format, usage: JSON.stringify(usage) };

/** A model as the bytes of a .safetensors file. @param half numbers as float16, in half the space */
export function packModel(model: LoadedModel, half = false): Uint8Array {
  const { network: made, weights, path } = model;
  if (!made) throw userError(path, "expected a model of this package, got a network that is known as a graph only");
  return writeSafetensors(withoutNetwork(weights), metadataOf(model), { half });
}

/** Writes a model to a .safetensors file. */
export async function saveModel(path: string, model: LoadedModel, platform: Platform, force = false): Promise<void> {
  await platform.checkTarget(path, force);
  await platform.files.write(path, packModel(model));
}

/** What a model is there for, by the head of its file, or by its tensors where another program wrote it. */
export async function taskOf(name: string, platform: Platform): Promise<Task> {
  if (/\.onnx$/i.test(name)) return "upscale";
  const { metadata, tensors } = await readFile(name, platform);
  const usage = usageSchema.safeParse(parseJson(metadata.usage));
  return usage.success ? usage.data.task : (adopted(tensors)?.usage.task ?? "upscale");
}

/** What a model's file says about itself, without building it. */
export const modelCard = async (name: string, platform: Platform): Promise<Card> =>
  (await readFile(name, platform)).metadata;

async function readFile(name: string, platform: Platform): Promise<SafetensorsFile> {
  const path = await findModel(name, platform, {});
  return readSafetensors(await platform.files.read(path), path);
}

/** The folder in runs/ whose finished model of a task is the newest; undefined when there is none. */
export async function newestRun(task: Task, platform: Platform): Promise<string | undefined> {
  const { files } = platform;
  const folders = (await files.exists("runs")) ? (await files.list("runs")).map(({ name }) => `runs/${name}`) : [];
  let [newest, latest] = [undefined as string | undefined, -Infinity];
  for (const folder of folders) {
    const written = await files.modified(`${folder}/weights.safetensors`);
    if (written === undefined || written <= latest || (await taskOf(folder, platform)) !== task) continue;
    [newest, latest] = [folder, written];
  }
  return newest;
}
