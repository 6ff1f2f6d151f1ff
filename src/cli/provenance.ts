import { z } from "zod";
import { userError } from "../errors.ts";
import type { Provenance } from "../image/provenance.ts";
import type { Platform } from "../platform/platform.ts";
import { optionsAgain, recordOf } from "../tasks/common/record.ts";

/** Flags of every command whose outputs say what made them. */
export const provenanceOptions = {
  metadata: z
    .boolean()
    .default(true)
    .describe("write no record of what made the output: task, options, models, version"),
  like: z
    .string()
    .min(1)
    .optional()
    .describe("repeat what made this file: its options, but for those given here")
    .meta({ placeholder: "file" }),
};

/** Options that say where to and how, not what is made. */
const frontEnd = new Set(
  ["output", "sheet", "force", "json", "format", "quality", "runtime", "threads", "metadata", "like"], // biome-ignore format: one line
);

type Values = Readonly<Record<string, unknown>>;

/** The record of what made a command's outputs; undefined with --no-metadata. @param options all of the command's */
export async function provenanceOf(
  task: string,
  options: Values & { readonly metadata: boolean },
  platform: Platform,
): Promise<Provenance | undefined> {
  if (!options.metadata) return undefined;
  const own = Object.fromEntries(Object.entries(options).filter(([key]) => !frontEnd.has(key)));
  return recordOf(task, own, platform);
}

/** Options of which one given takes the other's place. */
const rivals: Readonly<Record<string, string>> = { method: "model", model: "method" };

/** The options that made `path`, for a command to repeat it; those that are given are left out. */
export async function optionsLike(
  path: string,
  { command, names, given }: { readonly command: string; readonly names: readonly string[]; readonly given: Values },
  platform: Platform,
): Promise<Values> {
  const made = await platform.codec.provenance(path);
  if (!made) throw userError(path, "expected a file that says what made it, got one that does not");
  if (made.task !== command)
    throw userError(path, `expected a file that imago ${command} made, got one of imago ${made.task}`);
  const isReplaced = (key: string): boolean =>
    key in given || (typeof made.options[key] === "string" && (rivals[key] ?? key) in given);
  const wanted = Object.fromEntries(
    Object.entries(made.options).filter(([key]) => names.includes(key) && !isReplaced(key)),
  ) as Provenance["options"];
  return optionsAgain({ ...made, options: wanted }, path, platform);
}

/** Writes a report: JSON holds the record in a field of its own; others get it in a file beside them. */
export async function writeReport(
  path: string,
  text: string,
  provenance: Provenance | undefined,
  { files }: Platform,
): Promise<void> {
  if (/\.json$/i.test(path)) {
    const report = JSON.parse(text) as object;
    await files.write(path, provenance ? `${JSON.stringify({ ...report, provenance }, null, 2)}\n` : text);
    return;
  }
  await files.write(path, text);
  const beside = `${path}.imago.json`;
  if (provenance) await files.write(beside, `${JSON.stringify(provenance, null, 2)}\n`);
  else await files.remove(beside);
}
