import { constants, createReadStream } from "node:fs";
import { access, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { userError } from "../errors.ts";
import { checkTarget, codeOf, MOST, textOf, writeWhole } from "./atomic.ts";
import type { Files, FolderEntry } from "./files.ts";
import { lock } from "./lock.ts";

/** What arrived instead, and the cure, by the code of the system's error. */
const failures: Readonly<Record<string, readonly [got: string, cure: string]>> = {
  ENOENT: ["nothing with that name", "Check the name."],
  ENOTDIR: ["a name below a file", "Check the name."],
  EISDIR: ["a folder", "Name a file."],
  EEXIST: ["a name that is taken", "Remove it or choose another name."],
  ENOTEMPTY: ["a folder that is not empty", "Remove it or choose another name."],
  EACCES: ["one that your user may not open", "Change its permissions or choose another place."],
  EPERM: ["one that your user may not change", "Change its permissions or choose another place."],
  EROFS: ["a place on a read-only disk", "Choose another place."],
  ENOSPC: ["a full disk", "Free some space and run it again."],
  EDQUOT: ["a used-up disk quota", "Free some space and run it again."],
  EMFILE: ["too many open files", "Raise the limit (ulimit -n) and run it again."],
  ENAMETOOLONG: ["a name too long for the disk", "Choose a shorter one."],
};

/** The UserError for a failure of the file system: "path: expected …, got …. cure". */
export const fileError = (path: string, expected: string, error: unknown): Error => {
  const [got, cure] = failures[codeOf(error)] ?? [textOf(error)];
  return userError(path, `expected ${expected}, got ${got}`, cure);
};

const attempt = async <T>(path: string, expected: string, act: () => Promise<T>): Promise<T> => {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Error && error.name === "UserError") throw error;
    throw fileError(path, expected, error);
  }
};

/**
 * Throws a UserError unless a file can be written at `path`: the folder is there, and the name free or `force` given.
 */
export const refuseExisting = (path: string, force: boolean): Promise<void> => checkTarget(path, force);

/** Undefined where there is nothing. */
const statOf = (path: string) =>
  stat(path).catch((error: unknown) => {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return undefined;
    throw fileError(path, "a file or folder that can be looked up", error);
  });

const makeFolder = (folder: string): Promise<void> =>
  attempt(folder, "a place for a folder", async () => void (await mkdir(folder, { recursive: true })));

const readRange = async (path: string, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> => {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - begin));
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, done, Math.min(bytes.length - done, MOST), begin + done);
      if (bytesRead === 0) return bytes.slice(0, done); // cut off meanwhile
      done += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
};

const appendTo = async (path: string, content: string | Uint8Array): Promise<void> => {
  const file = await open(path, "a");
  try {
    await file.appendFile(content);
    await file.datasync();
  } finally {
    await file.close();
  }
};

/**
 * Links count as what they lead to. What leads nowhere is left out, and so are pipes and devices: reading them may
 * never end.
 */
const listFolder = async (folder: string): Promise<readonly FolderEntry[]> => {
  const found: FolderEntry[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const target = entry.isSymbolicLink() ? await statOf(`${folder}/${entry.name}`) : entry;
    if (target?.isFile() || target?.isDirectory()) found.push({ name: entry.name, isFolder: target.isDirectory() });
  }
  return found;
};

const sha256Of = async (path: string): Promise<string> => {
  const { createHash } = await import("node:crypto"); // 20 ms that most commands can do without
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
};

/** The disk of this machine. */
export const nodeFiles: Files = {
  read: (path) => attempt(path, "a file that can be read", async () => new Uint8Array(await readFile(path))),
  readRange: (path, begin, end) => attempt(path, "a file that can be read", () => readRange(path, begin, end)),
  async write(path, content) {
    await makeFolder(dirname(path));
    await attempt(path, "a folder that can be written", () => access(dirname(path), constants.W_OK));
    await writeWhole(path, typeof content === "string" ? new TextEncoder().encode(content) : content, true);
  },
  append: (path, content) => attempt(path, "a file that can be written", () => appendTo(path, content)),
  async size(path) {
    const found = await statOf(path);
    return found?.isFile() ? found.size : undefined;
  },
  modified: async (path) => (await statOf(path))?.mtimeMs,
  exists: async (path) => (await statOf(path)) !== undefined,
  list: (folder) => attempt(folder, "a folder that can be read", () => listFolder(folder)),
  makeFolder,
  rename: (from, to) => attempt(to, "a name for a file", () => rename(from, to)),
  remove: (path) => attempt(path, "something to remove", () => rm(path, { recursive: true, force: true })),
  sha256: (path) => attempt(path, "a file that can be read", () => sha256Of(path)),
  lock: (path) => attempt(path, "a lock that can be taken", () => lock(path)),
};
