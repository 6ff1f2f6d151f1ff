import { option, userError } from "../errors.ts";
import type { Examples, ExampleTools, Part, PartFormat } from "./exampleSource.ts";
import { listPictures } from "./folder.ts";
import { cifarPart, openCifar } from "./sets/cifar.ts";
import { isIdxName, openIdx, openMnist } from "./sets/mnist.ts";
import { classesIn, openPictures } from "./sets/pictures.ts";
import { openShapes } from "./sets/shapes.ts";
import { isStrip, openSheets } from "./sets/sheets.ts";

export interface OpenOptions extends PartFormat {
  /** Side of a sheet's cells in pixels. */
  readonly cell?: number;
}

/**
 * Opens a set of examples by what lies at `source`, every picture brought to size × size:
 * - the word `shapes`: the drawn set, which needs no files (a folder of that name is `./shapes`);
 * - a folder with MNIST's or Fashion-MNIST's IDX files, or one IDX file of pictures;
 * - a folder with CIFAR-10's binary batches;
 * - a sheet, or a folder of sheets, with `cell` given; strips (one picture wide, 8 or more high) are known without;
 * - any folder of pictures.
 * A folder of pictures with the sub-folders `train` and `test` has these parts. Where a set has no test part, the last
 * tenth of each class is held out from training and is the test part.
 * @throws UserError for wrong options, and for a source that is no set
 */
export async function openExamples(source: string, options: OpenOptions, tools: ExampleTools): Promise<Examples> {
  checkOptions(options);
  if (source === "shapes") return openShapes(withoutCell(source, options));
  const place = source.replace(/(?<=.)\/+$/, "");
  if ((await tools.files.size(place)) !== undefined) return openFile(place, options, tools);
  if (!(await tools.files.exists(place)))
    throw userError(place, "expected the word `shapes`, a folder or a file, got nothing with that name");
  const entries = await tools.files.list(place);
  const has = (part: Part): boolean => entries.some(({ name, isFolder }) => isFolder && name === part);
  if (has("train") && has("test")) return openSplit(place, withoutCell(place, options), tools);
  const names = entries.filter(({ isFolder }) => !isFolder).map(({ name }) => name);
  return openFolder(place, names, options, tools);
}

function checkOptions({ size, cell, channels, part }: OpenOptions): void {
  for (const [name, value] of Object.entries({ size, cell: cell ?? 1 }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw userError(name, `expected a whole number of pixels above zero, got ${value}`);
  if (channels !== 1 && channels !== 3) throw userError(option("channels"), `expected 1 or 3, got ${channels}`);
  if (part !== "train" && part !== "test") throw userError("part", `expected "train" or "test", got "${part}"`);
}

function withoutCell(where: string, options: OpenOptions): OpenOptions {
  if (options.cell === undefined) return options;
  throw userError(
    option("cell"),
    `expected a sheet of pictures, got ${where}`,
    "Only pictures are cut into cells: leave it out.",
  );
}

async function openFile(path: string, options: OpenOptions, tools: ExampleTools): Promise<Examples> {
  if (isIdxName(path)) return openIdx(path, withoutCell(path, options), tools.files);
  if (options.cell === undefined && !isStrip(await tools.codec.probe(path)))
    throw userError(
      path,
      "expected a folder of pictures, or a sheet with the side of its cells, got a single picture",
      "Give the side of one cell as `cell`.",
    );
  return openSheets({ where: path, paths: [path] }, options, tools);
}

/** Both parts have the same classes, even where one lacks pictures of some. */
async function openSplit(place: string, options: OpenOptions, tools: ExampleTools): Promise<Examples> {
  const listed = {
    train: await listPictures([`${place}/train`], tools.files),
    test: await listPictures([`${place}/test`], tools.files),
  };
  const found = (["train", "test"] as const).map((part) => classesIn(`${place}/${part}`, listed[part]));
  const classes = found.some(({ length }) => length === 0) ? [] : [...new Set(found.flat())].sort();
  const { part } = options;
  return openPictures({ where: `${place}/${part}`, paths: listed[part], classes }, { ...options, part: "all" }, tools);
}

async function openFolder(
  where: string,
  names: readonly string[],
  options: OpenOptions,
  tools: ExampleTools,
): Promise<Examples> {
  const idx = names.filter(isIdxName).sort();
  if (names.some(cifarPart)) return openCifar(where, withoutCell(where, options), tools.files);
  if (idx.some((name) => /^(train|t10k)-/.test(name)))
    return openMnist(where, withoutCell(where, options), tools.files);
  if (idx.length > 0) return openFile(`${where}/${idx[0]}`, options, tools);
  const paths = await listPictures([where], tools.files);
  const areSheets = options.cell !== undefined || (await areStrips(paths, tools));
  return areSheets ? openSheets({ where, paths }, options, tools) : openPictures({ where, paths }, options, tools);
}

/** Whether all files that are pictures are strips. */
async function areStrips(paths: readonly string[], { codec }: ExampleTools): Promise<boolean> {
  let found = 0;
  for (const path of paths) {
    const size = await codec.probe(path).catch(() => undefined);
    if (size && !isStrip(size)) return false;
    if (size) found++;
  }
  return found > 0;
}
