import { type FileHandle, link, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { option, userError } from "../errors.ts";
import type { FilePart } from "./files.ts";

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

/** The most bytes that the system reads or writes at a time. */
export const MOST = 2 ** 30;

/** The whole content of a file, or its pieces while they are made. */
type Whole = Uint8Array | AsyncIterable<FilePart>;

/** Writes beside the target, then gives the file its name in one step; leaves nothing behind on failure. */
export const writeWhole = async (path: string, content: Whole, force: boolean): Promise<void> => {
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}.tmp`);
  try {
    await writeAndSync(temporary, content);
    await (force ? rename(temporary, path) : nameOnce(temporary, path));
  } catch (error) {
    throw isOfSystem(error) ? writeError(path, error) : error;
  } finally {
    await rm(temporary, { force: true });
  }
};

/** What the making of the content throws is none. */
const isOfSystem = (error: unknown): boolean => error instanceof Error && "syscall" in error;

const writePart = async (file: FileHandle, { at, bytes }: FilePart): Promise<void> => {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, Math.min(bytes.length - done, MOST), at + done);
    done += bytesWritten;
  }
};

const writeAndSync = async (path: string, content: Whole): Promise<void> => {
  const file = await open(path, "wx");
  try {
    if (content instanceof Uint8Array) await file.writeFile(content);
    else for await (const part of content) await writePart(file, part);
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
