import { userError } from "../../errors.ts";
import { crop, type Picture } from "../../image/picture.ts";
import type { Examples, ExampleTools, PartFormat } from "../exampleSource.ts";
import { makeStore } from "../exampleStore.ts";
import { listPictures, nameBelow } from "../folder.ts";
import { partOf } from "../heldOut.ts";
import { orSkip, type Skipped, sumOfSums } from "../source.ts";

/** Two aligned sets: picture i of one belongs to picture i of the other. */
export interface PairSet {
  readonly a: Examples;
  readonly b: Examples;
}

/** One pair of a folder: one file twice as wide as each half, or two files. */
type PairFiles = readonly [path: string] | readonly [a: string, b: string];

/** Names of the two sub-folders of paired sets, the first before the second; others go by the alphabet. */
const KNOWN = ["a/b", "A/B", "source/target", "input/target", "label/photo", "labels/photos"];

/**
 * A paired set: a folder of pictures that hold both halves side by side (left a, right b), or a folder with two
 * sub-folders whose files have the same names. Sub-folders `train` and `test` (or `val`) are its parts; without them
 * the last tenth is held out for testing. Each half is brought to size × size (its middle square). Files that cannot be
 * read are skipped.
 * @throws UserError for a folder with neither form, for names without a partner, and where no pair can be read
 */
export async function openPairs(source: string, format: PartFormat, tools: ExampleTools): Promise<PairSet> {
  const { place, part } = await placeOf(source, format.part, tools);
  const all = await pairsIn(place, tools);
  const numbers = partOf(new Uint8Array(all.length), part, place);
  const [a, b] = [makeStore(place, numbers.length, format), makeStore(place, numbers.length, format)];
  const skipped: Skipped[] = [];
  const read: { name: string; sha256: string }[] = [];
  let bytes = 0;
  for (const number of numbers) {
    const paths = all[number]!;
    const halves = await orSkip(paths[0], skipped, () => readPair(paths, tools));
    if (!halves) continue;
    a.add(halves[0], 0);
    b.add(halves[1], 0);
    for (const path of paths) {
      read.push({ name: nameBelow(place, path), sha256: await tools.files.sha256(path) });
      bytes += (await tools.files.size(path)) ?? 0;
    }
  }
  const notes = { bytes, sha256: await sumOfSums(read), classes: [], skipped };
  return { a: a.examples(notes), b: b.examples(notes) };
}

/** Where a part lies, and which of the pictures there are meant. */
async function placeOf(source: string, part: PartFormat["part"], { files }: ExampleTools) {
  const place = source.replace(/(?<=.)\/+$/, "");
  if (!(await files.exists(place)))
    throw userError(place, "expected a folder of pairs, got nothing with that name", "Check the name.");
  const folders = (await files.list(place)).filter(({ isFolder }) => isFolder).map(({ name }) => name);
  if (!folders.includes("train")) return { place, part };
  const held = ["test", "val"].find((name) => folders.includes(name));
  if (held !== undefined) return { place: `${place}/${part === "train" ? "train" : held}`, part: "all" as const };
  return { place: `${place}/train`, part };
}

/** The pairs of a folder, in order of their names. */
async function pairsIn(place: string, { files }: ExampleTools): Promise<readonly PairFiles[]> {
  const entries = (await files.list(place)).filter(({ name }) => !name.startsWith("."));
  const folders = entries.filter(({ isFolder }) => isFolder).map(({ name }) => name);
  if (folders.length === 0) return (await listPictures([place], files)).map((path) => [path]);
  if (folders.length !== 2)
    throw userError(
      place,
      `expected pictures side by side, or two sub-folders of the same names, got ${folders.length} sub-folders`,
    );
  const known = KNOWN.map((names) => names.split("/")).find((names) => names.every((name) => folders.includes(name)));
  const [first, second] = (known ?? folders.sort()) as [string, string];
  const a = await byStem(`${place}/${first}`, files);
  const b = await byStem(`${place}/${second}`, files);
  const lone = [...b.keys()].find((stem) => !a.has(stem));
  if (lone !== undefined) throw withoutPartner(b.get(lone)!, first);
  return [...a].map(([stem, path]) => {
    const partner = b.get(stem);
    if (partner === undefined) throw withoutPartner(path, second);
    return [path, partner];
  });
}

/** The pictures of a folder by their names without endings, in order. */
async function byStem(folder: string, files: ExampleTools["files"]): Promise<ReadonlyMap<string, string>> {
  const paths = await listPictures([folder], files);
  return new Map(paths.map((path) => [nameBelow(folder, path).replace(/\.[^./]*$/, ""), path]));
}

const withoutPartner = (path: string, folder: string): Error =>
  userError(path, `expected a picture of the same name in ${folder}, got none`, "Add it, or take this one away.");

async function readPair(paths: PairFiles, { codec }: ExampleTools): Promise<readonly [Picture, Picture]> {
  const [first, second] = paths;
  const picture = await codec.read(first);
  if (second !== undefined) return [picture, await codec.read(second)];
  const { width, height } = picture;
  if (width % 2 !== 0) throw userError(first, `expected two halves of one width side by side, got ${width}×${height}`);
  const half = { y: 0, width: width / 2, height };
  return [crop(picture, { ...half, x: 0 }), crop(picture, { ...half, x: width / 2 })];
}
