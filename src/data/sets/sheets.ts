import { userError } from "../../errors.ts";
import { crop, type Picture, type Size } from "../../image/picture.ts";
import type { Examples, ExampleTools } from "../exampleSource.ts";
import { makeStore } from "../exampleStore.ts";
import { partOf, type ShareFormat } from "../heldOut.ts";
import { orSkip, type Skipped, sumOfSums } from "../source.ts";

export interface SheetOptions extends ShareFormat {
  /** Side of the square cells in pixels; the sheet's width (a strip) unless given. */
  readonly cell?: number;
}

/** Pictures one below the other: at least this many, or it is no strip. */
const leastInStrip = 8;

export const isStrip = ({ width, height }: Size): boolean => height % width === 0 && height >= leastInStrip * width;

/** A file that is a grid of pictures. */
interface Sheet {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly cell: number;
  /** Cells. */
  readonly count: number;
}

/** The class that a sheet's name tells: without folder, ending, part and number ("train_cat_1.jpg" is of "cat"). */
const classOf = (path: string): string =>
  path
    .slice(path.lastIndexOf("/") + 1)
    .replace(/\.\w+$/, "")
    .replace(/^(train|test)[_-](?=.)/, "")
    .replace(/(?<=.)[_-]\d+$/, "");

/**
 * Pictures that lie in grids of square cells, row by row, with the class in the file's name where there are several.
 * The last tenth of each class is held out for testing. Files that cannot be decoded are skipped.
 */
export async function openSheets(
  { where, paths }: { readonly where: string; readonly paths: readonly string[] },
  { part, cell, ...format }: SheetOptions,
  tools: ExampleTools,
): Promise<Examples> {
  const skipped: Skipped[] = [];
  const sheets: Sheet[] = [];
  for (const path of paths) {
    const sheet = await orSkip(path, skipped, () => survey(path, cell, tools));
    if (sheet) sheets.push(sheet);
  }
  const classes = [...new Set(sheets.map(({ path }) => classOf(path)))].sort();
  const labels = sheets.flatMap(({ path, count }) => Array<number>(count).fill(classes.indexOf(classOf(path))));
  const wanted = new Set(partOf(labels, part, where));
  const store = makeStore(where, wanted.size, format);
  let first = 0;
  for (const sheet of sheets) {
    const picture = await orSkip(sheet.path, skipped, () => tools.codec.read(sheet.path));
    for (let i = 0; picture && i < sheet.count; i++)
      if (wanted.has(first + i)) store.add(cellOf(picture, sheet.cell, i), labels[first + i]!);
    first += sheet.count;
  }
  const bytes = sheets.reduce((sum, sheet) => sum + sheet.bytes, 0);
  return store.examples({ bytes, sha256: await sumOfSums(sheets), classes, skipped });
}

async function survey(path: string, asked: number | undefined, { files, codec }: ExampleTools): Promise<Sheet> {
  const { width, height } = await codec.probe(path);
  const cell = asked ?? width;
  if (width % cell !== 0 || height % cell !== 0)
    throw userError(
      path,
      `expected a grid of cells of ${cell}×${cell} pixels, got a picture of ${width}×${height}`,
      "Give the side of one cell as `cell`.",
    );
  return {
    path,
    name: path.slice(path.lastIndexOf("/") + 1),
    bytes: (await files.size(path)) ?? 0,
    sha256: await files.sha256(path),
    cell,
    count: (width / cell) * (height / cell),
  };
}

function cellOf(sheet: Picture, cell: number, number: number): Picture {
  const columns = sheet.width / cell;
  const [x, y] = [(number % columns) * cell, Math.floor(number / columns) * cell];
  return crop(sheet, { x, y, width: cell, height: cell });
}
