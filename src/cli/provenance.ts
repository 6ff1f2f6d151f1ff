import { z } from "zod";
import { userError } from "../errors.ts";
import type { Provenance } from "../image/provenance.ts";
import type { Platform } from "../platform/platform.ts";
import { metadataOption, modelOptionsOf, optionsAgain, readRecord, recordOf } from "../tasks/common/record.ts";

/** Flags of every command whose outputs say what made them. */
export const provenanceOptions = {
  metadata: metadataOption,
  like: z
    .string()
    .min(1)
    .optional()
    .describe("repeat what made this file: its options, but for those given here")
    .meta({ placeholder: "file" }),
};

type Values = Readonly<Record<string, unknown>>;

/** Makes the records of a command's outputs. @param options all of the command's */
export const recorder =
  (task: string, { metadata }: Values, platform: Platform) =>
  async (options: Values): Promise<Provenance | undefined> =>
    metadata === true ? recordOf({ task, options }, platform) : undefined;

/** Options of which one given takes the other's place. */
const rivals: Readonly<Record<string, string>> = { method: "model", model: "method" };

/** A command line as far as it is read. */
interface Asked {
  readonly command: string;
  readonly args: readonly string[];
  /** All flags of the command. */
  readonly schema: z.ZodObject;
  readonly given: Values;
}

/**
 * The options of the file after --like, for a command to repeat it, but for those that are given; none without --like.
 */
export async function optionsLike({ command, args, schema, given }: Asked, platform: Platform): Promise<Values> {
  const { like: path } = given;
  if (typeof path !== "string" || path === "") return {};
  const made = await readRecord(path, platform);
  if (!made) throw userError(path, "expected a file that says what made it, got one that does not");
  checkCommand(made, path, { command, args });
  const isReplaced = (key: string): boolean =>
    key in given || (typeof made.options[key] === "string" && (rivals[key] ?? key) in given);
  const wanted = Object.fromEntries(
    Object.entries(made.options).filter(([key]) => key in schema.shape && !isReplaced(key)),
  ) as Provenance["options"];
  return optionsAgain({ ...made, options: wanted }, { where: path, models: modelOptionsOf(schema) }, platform);
}

/** Only what made a file repeats it: the same command, and of a training the same recipe. */
function checkCommand({ task, options }: Provenance, path: string, { command, args }: Pick<Asked, "command" | "args">) {
  const { recipe } = options;
  const maker = recipe === undefined ? task : `${task} ${recipe}`;
  const asked = recipe === undefined ? command : [command, ...args].join(" ");
  if (maker !== asked) throw userError(path, `expected a file that imago ${asked} made, got one of imago ${maker}`);
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
