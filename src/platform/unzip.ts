import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { openPromise } from "yauzl";
import { userError } from "../errors.ts";
import { fileError } from "./nodeFiles.ts";

/** How far unpacking is: entries done of all, and the name of the last. */
export interface UnzipTick {
  readonly name: string;
  readonly done: number;
  readonly total: number;
}

/**
 * Unpacks a zip file of any size into a folder, entry by entry. Names that lead out of the folder are refused; links
 * become plain files; macOS's own entries are left out.
 */
export async function* unzip(path: string, folder: string, signal?: AbortSignal): AsyncGenerator<UnzipTick, void> {
  const archive = await openPromise(path, { autoClose: false }).catch((error: unknown) => {
    throw damaged(path, error);
  });
  try {
    const total = archive.entryCount;
    let done = 0;
    for await (const entry of archive.eachEntry()) {
      signal?.throwIfAborted();
      const name = entry.fileName;
      done++;
      if (name.endsWith("/") || name.startsWith("__MACOSX/")) continue;
      const target = join(folder, name);
      await mkdir(dirname(target), { recursive: true });
      await pipeline(await archive.openReadStreamPromise(entry), createWriteStream(target), { signal });
      yield { name, done, total };
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof Error && "syscall" in error
      ? fileError(folder, "a folder that can be written", error)
      : damaged(path, error);
  } finally {
    archive.close();
  }
}

const damaged = (path: string, error: unknown): Error =>
  userError(
    path,
    `expected a zip file, got one that cannot be unpacked (${error instanceof Error ? error.message : error})`,
    "Remove it and fetch it again.",
  );
