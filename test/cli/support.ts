import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { main } from "../../src/cli/program.ts";
import { testPlatform } from "../tasks/support.ts";

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in this process. */
export async function cli(
  argv: readonly string[],
  options: { models?: string; signal?: AbortSignal } = {},
): Promise<Result> {
  const [out, err]: [string[], string[]] = [[], []];
  const io = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    isTerminal: false,
    columns: 100,
    signal: options.signal,
  };
  const code = await main(argv, io, testPlatform(options.models));
  return { code, out: out.join(""), err: err.join("") };
}

/** Every file below a folder with its time and the sum of its bytes. */
export async function contentOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    found[path] = entry.isFile()
      ? `${(await stat(path)).mtimeMs} ${createHash("sha256")
          .update(await readFile(path))
          .digest("hex")}`
      : "folder";
  }
  return found;
}
