import { realpath } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { userError } from "../errors.ts";
import { formatsByEnding, type PictureFormat, type Platform } from "../platform/platform.ts";

/** One picture to make; `error` says why it cannot be. */
export interface Job {
  readonly input: string;
  readonly output: string;
  readonly error?: Error;
}

export interface OutputOptions {
  /** File or folder; next to each input unless given. */
  readonly output?: string;
  readonly format?: PictureFormat;
  readonly force: boolean;
  /** Goes into the name: "x2-bicubic". */
  readonly label: string;
  /** One file was named, so that `output` may name one. */
  readonly isSingle: boolean;
}

/** The ending of a result: the input's where that format can be written and is the one asked for. */
function endingOf(input: string, format: PictureFormat | undefined): string {
  const own = extname(input);
  const kind = formatsByEnding[own.toLowerCase()];
  if (kind && (!format || kind === format)) return own;
  return format === "jpeg" ? ".jpg" : `.${format ?? "png"}`;
}

const sameFile = async (a: string, b: string): Promise<boolean> => {
  const [x, y] = await Promise.all([a, b].map((path) => realpath(path).catch(() => undefined)));
  return x !== undefined && x === y;
};

/** Where every result goes, checked before any work starts: nothing is replaced unasked, no input is overwritten. */
export async function planOutputs(
  inputs: readonly string[],
  { output, format, force, label, isSingle }: OutputOptions,
  platform: Platform,
): Promise<readonly Job[]> {
  const folder = output === undefined ? undefined : await folderOf(output, isSingle, platform);
  const taken = new Map<string, string>();
  const jobs: Job[] = [];
  for (const input of inputs) {
    const name = `${basename(input, extname(input))}-${label}${endingOf(input, format)}`;
    const path = output !== undefined && folder === undefined ? output : join(folder ?? dirname(input), name);
    const error = await problemOf(path, input, { taken, force, format, platform });
    taken.set(path, input);
    jobs.push({ input, output: path, ...(error && { error }) });
  }
  return jobs;
}

/** The folder that `output` names; undefined when it names a file. */
async function folderOf(output: string, isSingle: boolean, { files }: Platform): Promise<string | undefined> {
  const isFile = (await files.size(output)) !== undefined;
  const exists = await files.exists(output);
  const looksLikeFolder = /[/\\]$/.test(output) || (!isSingle && extname(output) === "");
  if (exists && !isFile) return output;
  if (looksLikeFolder && !exists)
    throw userError("--output", `expected a folder that is there, got ${output}`, "Make it first.");
  if (!isSingle) throw userError("--output", `expected a folder for several pictures, got ${output}`, "Make it first.");
  return undefined;
}

interface Target {
  readonly taken: ReadonlyMap<string, string>;
  readonly force: boolean;
  readonly format: PictureFormat | undefined;
  readonly platform: Platform;
}

async function problemOf(
  path: string,
  input: string,
  { taken, force, format, platform }: Target,
): Promise<Error | undefined> {
  const kind = formatsByEnding[extname(path).toLowerCase()];
  if (!kind && !format)
    return userError("--output", `expected a name ending in ${Object.keys(formatsByEnding).join(", ")}, got ${path}`);
  const other = taken.get(path);
  if (other !== undefined)
    return userError(input, `expected a result of its own, got ${path}, which is that of ${other} too`, "Rename one.");
  if (await sameFile(path, input)) return userError(path, "expected an output beside the input, got the input itself");
  try {
    await platform.checkTarget(path, force);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : undefined;
  }
}
