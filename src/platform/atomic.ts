import { randomUUID } from "node:crypto";
import { link, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { option, userError } from "../errors.ts";

/** The code of a file system error ("ENOENT"); empty for any other. */
export const codeOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "");
/** The first line of an error's message. */
export const textOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0]!;

const alreadyThere = (path: string) =>
  userError(path, "a file with that name is already there", `Pass ${option("force")} to replace it.`);

const kindAt = (path: string): Promise<"nothing" | "file" | "folder" | "device"> =>
  stat(path).then(
    (found) => (found.isFile() ? "file" : found.isDirectory() ? "folder" : "device"),
    () => "nothing",
  );

/** Throws a UserError unless a file can appear at `path`: its folder is there, and it is free or a file to replace. */
export const checkTarget = async (path: string, force: boolean): Promise<void> => {
  const kind = await kindAt(path);
  if (kind === "folder" || kind === "device") throw userError(path, `expected a file's name, got a ${kind}'s`);
  if (kind === "file" && !force) throw alreadyThere(path);
  if ((await kindAt(dirname(path))) !== "folder")
    throw userError(path, `the folder ${dirname(path)} is not there`, "Make it first.");
};

/** Writes beside the target, then gives the file its name in one step; leaves nothing behind on failure. */
export const writeWhole = async (path: string, bytes: Uint8Array, force: boolean): Promise<void> => {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    await writeAndSync(temporary, bytes);
    await (force ? rename(temporary, path) : nameOnce(temporary, path));
  } catch (error) {
    throw writeError(path, error);
  } finally {
    await rm(temporary, { force: true });
  }
};

const writeAndSync = async (path: string, bytes: Uint8Array): Promise<void> => {
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
};

/** Gives the file its name unless that is taken meanwhile; file systems without links fall back to renaming. */
const nameOnce = async (temporary: string, path: string): Promise<void> => {
  try {
    await link(temporary, path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw error;
    await rename(temporary, path);
  }
};

const writeError = (path: string, error: unknown): Error => {
  const code = codeOf(error);
  if (code === "EEXIST") return alreadyThere(path);
  if (code === "ENOSPC") return userError(path, "the disk is full", "Free some space and run it again.");
  if (code === "EISDIR") return userError(path, "expected a file's name, got a folder's");
  return userError(path, `cannot be written (${textOf(error)})`);
};
