import { userError } from "../../errors.ts";
import { type Files, readText } from "../../platform/files.ts";
import type { Examples, ExampleTools } from "../exampleSource.ts";
import { makeStore } from "../exampleStore.ts";
import { nameBelow } from "../folder.ts";
import { partOf, type ShareFormat } from "../heldOut.ts";
import { orSkip, type Skipped, sumOfSums } from "../source.ts";

export interface Listed {
  /** The folder, as given. */
  readonly where: string;
  /** Its picture files, sorted, and those below. */
  readonly paths: readonly string[];
  /** Names of the classes; those found unless given. */
  readonly classes?: readonly string[];
}

/**
 * Any folder of pictures, each cut to its middle square. The sub-folders are the classes, where all pictures lie in
 * one; captions come from captions.tsv. The last tenth of each class, by name, is held out for testing. Files that
 * cannot be decoded are skipped.
 */
export async function openPictures(
  { where, paths, classes = classesIn(where, paths) }: Listed,
  { part, ...format }: ShareFormat,
  { files, codec }: ExampleTools,
): Promise<Examples> {
  const labels = paths.map((path) => Math.max(0, classes.indexOf(folderOf(where, path) ?? "")));
  const captions = await readCaptions(where, files);
  const numbers = partOf(labels, part, where);
  const store = makeStore(where, numbers.length, format);
  const skipped: Skipped[] = [];
  const read: { name: string; sha256: string }[] = [];
  let bytes = 0;
  for (const number of numbers) {
    const path = paths[number]!;
    const name = nameBelow(where, path);
    const picture = await orSkip(path, skipped, () => codec.read(path));
    if (!picture) continue;
    store.add(picture, labels[number]!, captions?.get(name));
    read.push({ name, sha256: await files.sha256(path) });
    bytes += (await files.size(path)) ?? 0;
  }
  return store.examples({
    bytes,
    sha256: await sumOfSums(read),
    classes,
    skipped,
    hasCaptions: captions !== undefined,
  });
}

/** The first folder below `where` on the way to a file; none when the file lies in `where` itself. */
function folderOf(where: string, path: string): string | undefined {
  const [first, ...rest] = nameBelow(where, path).split("/");
  return rest.length > 0 ? first : undefined;
}

/** The sub-folders, sorted; none where pictures lie in `where` itself. */
export function classesIn(where: string, paths: readonly string[]): readonly string[] {
  const folders = new Set(paths.map((path) => folderOf(where, path)));
  return folders.has(undefined) ? [] : [...folders].map((name) => name!).sort();
}

/** Captions by file name: a table with tabs whose first line names the columns "file" and "caption" or "name". */
async function readCaptions(
  folder: string,
  files: Pick<Files, "read" | "exists">,
): Promise<ReadonlyMap<string, string> | undefined> {
  const path = `${folder}/captions.tsv`;
  if (!(await files.exists(path))) return undefined;
  const rows = (await readText(files, path)).split(/\r?\n/).map((line) => line.split("\t"));
  const columns = rows[0]!;
  const [file, caption] = [columns.indexOf("file"), columns.findIndex((name) => name === "caption" || name === "name")];
  if (file < 0 || caption < 0)
    throw userError(
      path,
      `expected a first line with "file" and "caption" or "name" between tabs, got "${columns.join(" ").slice(0, 60)}"`,
      "Name the columns, or take the file away.",
    );
  return new Map(rows.slice(1).map((row) => [row[file] ?? "", row[caption] ?? ""]));
}
