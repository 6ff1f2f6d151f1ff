import { z } from "zod";
import { userError } from "../../errors.ts";
import type { ModelReference, Provenance } from "../../image/provenance.ts";
import { headOf } from "../../modelFiles/card.ts";
import { partHead } from "../../modelFiles/metadata.ts";
import type { Card } from "../../modelFiles/model.ts";
import { findModel, shortName, stem } from "../../modelFiles/names.ts";
import { optionInfos } from "../../options/schema.ts";
import type { Platform } from "../../platform/platform.ts";

type Values = Readonly<Record<string, unknown>>;

/** Whether outputs say what made them. */
export const metadataOption = z
  .boolean()
  .default(true)
  .describe("say in the output what made it: task, options, models, version")
  .meta({ off: "write no record of what made the output: task, options, models, version" });

/** Options of tasks that name models. */
const modelOptions: readonly string[] = ["model", "judge", "features", "start"];

/** The options that name models: those of tasks, and those that a recipe's schema marks. */
export const modelOptionsOf = (schema: z.ZodObject): readonly string[] => [
  ...modelOptions,
  ...optionInfos(schema).flatMap(({ name, model }) => (model === undefined ? [] : [name])),
];

/** What a record is made of. */
export interface Recorded {
  readonly task: string;
  /** As given or resolved. */
  readonly options: Values;
  /** Names of the options that name models: "model", "judge", "features" and "start" unless given. */
  readonly models?: readonly string[];
}

/**
 * What made an output of a task: its options, and every model that they name with the sum of its file. Paths are
 * reduced to the last name in them, and the user's name is left out.
 * @throws UserError where a model is not there
 */
export async function recordOf(
  { task, options, models: keys = modelOptions }: Recorded,
  platform: Platform,
): Promise<Provenance> {
  const { models, names } = await modelsOf(options, keys, platform);
  const named = Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, keys.includes(key) ? renamed(value, names) : value]),
  );
  return {
    software: "imago",
    version: platform.versions.imago ?? "",
    task,
    options: publicValue(named, platform) as Provenance["options"],
    models,
  };
}

/**
 * What a file says of itself: a model in its head, others by the platform's codec.
 * @throws UserError for a file that is not there, and for a record that is damaged or of a later version
 */
export async function readShown(
  file: string | Uint8Array,
  platform: Platform,
): Promise<{ readonly made?: Provenance; readonly card?: Card }> {
  const { files, codec } = platform;
  const isFile = typeof file !== "string" || (await files.size(file)) !== undefined;
  const where = typeof file === "string" ? file : "file";
  const head = isFile && (await headOf(typeof file === "string" ? await files.read(file) : file, where));
  if (head) return partHead(head, where);
  const made = await codec.provenance(file);
  return made ? { made } : {};
}

/** What made a file; undefined where it does not tell. @throws UserError as `readShown` does */
export const readRecord = async (file: string | Uint8Array, platform: Platform): Promise<Provenance | undefined> =>
  (await readShown(file, platform)).made;

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
async function modelsOf(options: Values, keys: readonly string[], platform: Platform) {
  const scales = [options.scale].flat().map((scale) => (typeof scale === "number" ? scale : undefined));
  const found = new Map<string, ModelReference>();
  const names = new Map<string, readonly string[]>();
  for (const text of keys.flatMap((key) => texts(options[key]))) {
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
  publicText(path.startsWith(`${platform.models}/`) ? stem(path) : shortName(text), platform);

/** JSON without paths and the user's name; what has no value is left out. */
function publicValue(value: unknown, platform: Platform): unknown {
  if (typeof value === "string") return publicText(value, platform);
  if (Array.isArray(value)) return value.map((one) => publicValue(one, platform));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (one === undefined ? [] : [[key, publicValue(one, platform)]])),
  );
}

/**
 * A text without folders before the last name in it, and with "user" for the user's name where that is a word of it.
 */
export function publicText(text: string, { privateNames }: Pick<Platform, "privateNames">): string {
  const last = /[/\\]/.test(text)
    ? (text
        .replace(/[/\\]+$/, "")
        .split(/[/\\]/)
        .at(-1) ?? "")
    : text;
  return withoutUser(last, { privateNames });
}

/** A text with "user" for the user's name where that is a word of it. */
export const withoutUser = (text: string, { privateNames }: Pick<Platform, "privateNames">): string =>
  privateNames.reduce((rest, name) => rest.replace(wordOf(name), "user"), text);

const wordOf = (name: string): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}])${name.replace(/[^\p{L}\p{N}]/gu, "\\$&")}(?![\\p{L}\\p{N}])`, "giu");

/**
 * The options that repeat what a record tells of: models by a name or place where they are found, with the file that
 * the record means.
 * @throws UserError where a model is not found, or another one goes by its name; `where` names the recorded file
 */
export async function optionsAgain(
  { options, models }: Provenance,
  { where, models: keys = modelOptions }: { readonly where: string } & Pick<Recorded, "models">,
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
  for (const key of keys) {
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
