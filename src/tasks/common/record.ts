import { userError } from "../../errors.ts";
import type { ModelReference, Provenance } from "../../image/provenance.ts";
import { findModel, stem } from "../../modelFiles/names.ts";
import type { Platform } from "../../platform/platform.ts";
import type { RunDescription } from "../../train/run.ts";

type Values = Readonly<Record<string, unknown>>;

/** The options that name models. */
const modelOptions = ["model", "judge", "features"] as const;

/**
 * What made an output of a task: its options as given or resolved, and every model that they name with the sum of its file.
 * Paths are reduced to the last name in them, and the user's name is left out.
 * @throws UserError where a model is not there
 */
export async function recordOf(task: string, options: Values, platform: Platform): Promise<Provenance> {
  const { models, names } = await modelsOf(options, platform);
  const named = Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, isModelOption(key) ? renamed(value, names) : value]),
  );
  return { ...headOf(task, platform), options: publicValue(named, platform) as Provenance["options"], models };
}

/** What made a picture that a training shows after a step. */
export function trainingRecord(
  { recipe, options, seed, data }: RunDescription,
  step: number,
  platform: Platform,
): Provenance {
  return {
    ...headOf("train", platform),
    options: publicValue({ recipe, ...options, seed }, platform) as Provenance["options"],
    models: [],
    data: { count: data.count, sha256: data.sha256 },
    step,
  };
}

const headOf = (task: string, { versions }: Platform) => ({
  software: "imago" as const,
  version: versions.imago ?? "",
  task,
});

const isModelOption = (key: string): boolean => (modelOptions as readonly string[]).includes(key);
const texts = (value: unknown): readonly string[] =>
  [value].flat().filter((one): one is string => typeof one === "string");

/** A family's name becomes that of the one network that it stood for. */
const renamed = (value: unknown, names: ReadonlyMap<string, readonly string[]>): unknown => {
  const nameOf = (text: string): string => {
    const found = names.get(text) ?? [];
    return found.length === 1 ? found[0]! : text;
  };
  if (Array.isArray(value)) return value.map((one) => (typeof one === "string" ? nameOf(one) : one));
  return typeof value === "string" ? nameOf(value) : value;
};

/** The models that the options name, and by which names each option's text is known from now on. */
async function modelsOf(options: Values, platform: Platform) {
  const scales = [options.scale].flat().map((scale) => (typeof scale === "number" ? scale : undefined));
  const found = new Map<string, ModelReference>();
  const names = new Map<string, readonly string[]>();
  for (const text of modelOptions.flatMap((key) => texts(options[key]))) {
    const paths = new Set<string>();
    for (const scale of scales) paths.add(await findModel(text, platform, { scale }));
    for (const path of paths)
      if (!found.has(path))
        found.set(path, { name: publicName(text, path, platform), sha256: await platform.files.sha256(path) });
    names.set(
      text,
      [...paths].map((path) => found.get(path)!.name),
    );
  }
  return { models: [...found.values()], names };
}

/** A shipped model by its own name, any other by the last name of the path that it was given by. */
const publicName = (text: string, path: string, platform: Platform): string =>
  publicText(path.startsWith(`${platform.models}/`) ? stem(path) : text, platform);

/** JSON without paths and the user's name; what has no value is left out. */
function publicValue(value: unknown, platform: Platform): unknown {
  if (typeof value === "string") return publicText(value, platform);
  if (Array.isArray(value)) return value.map((one) => publicValue(one, platform));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (one === undefined ? [] : [[key, publicValue(one, platform)]])),
  );
}

/** A text without folders before the last name in it, and with "user" for the user's name where that is a word of it. */
export function publicText(text: string, { privateNames }: Pick<Platform, "privateNames">): string {
  const last = /[/\\]/.test(text)
    ? (text
        .replace(/[/\\]+$/, "")
        .split(/[/\\]/)
        .at(-1) ?? "")
    : text;
  return privateNames.reduce((rest, name) => rest.replace(wordOf(name), "user"), last);
}

const wordOf = (name: string): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}])${name.replace(/[^\p{L}\p{N}]/gu, "\\$&")}(?![\\p{L}\\p{N}])`, "giu");

/**
 * The options that repeat what a record tells of: models by a name or place where they are found, with the file that the
 * record means.
 * @throws UserError where a model is not found, or another one goes by its name; `where` names the recorded file
 */
export async function optionsAgain(
  { options, models }: Provenance,
  where: string,
  platform: Platform,
): Promise<Readonly<Record<string, unknown>>> {
  const again = async (text: string): Promise<string> => {
    const own = models.filter(({ name }) => name === text);
    const family = own.length > 0 ? own : models.filter(({ name }) => name.startsWith(`${text}-x`));
    const places = [];
    for (const model of family) places.push(await placeOf(model, where, platform));
    return own.length > 0 ? places[0]! : text;
  };
  const values: Record<string, unknown> = { ...options };
  for (const key of modelOptions) {
    const value = options[key];
    if (typeof value === "string") values[key] = await again(value);
    else if (Array.isArray(value)) values[key] = await Promise.all(texts(value).map(again));
  }
  return values;
}

/** Where the model of a record is: shipped, in runs/, or under its name here. */
async function placeOf({ name, sha256 }: ModelReference, where: string, platform: Platform): Promise<string> {
  const others: string[] = [];
  for (const place of [name, `runs/${name}`]) {
    const path = await findModel(place, platform, {}).catch(() => undefined);
    const sum = path && (await platform.files.sha256(path));
    if (sum === sha256) return place;
    if (sum) others.push(sum);
  }
  const got = others[0]
    ? `another one of that name (sha256 ${others[0]})`
    : "none of that name, shipped, in runs/ or here";
  throw userError(where, `expected the model ${name} (sha256 ${sha256}), got ${got}`, "Name the model yourself.");
}
