import { userError } from "../../errors.ts";
import { makePicture } from "../../image/picture.ts";
import type { Files } from "../../platform/files.ts";
import type { Examples, Part, PartFormat } from "../exampleSource.ts";
import { makeStore, storedExamples } from "../exampleStore.ts";
import { partOf, type ShareFormat } from "../heldOut.ts";
import { sha256Of, sumOfSums } from "../source.ts";
import type { SquareFormat } from "../square.ts";

/** An IDX file of bytes. */
export interface Idx {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const again = "Fetch the file again.";

/** Unpacks gzip; other bytes are given back. */
async function gunzip(bytes: Uint8Array<ArrayBuffer>, where: string): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(unpacked).arrayBuffer());
  } catch {
    throw userError(where, "expected a gzip file, got one that is damaged or cut short", again);
  }
}

/**
 * Reads IDX, the format of MNIST: two zero bytes, the type (8: bytes), the number of sides, the sides as big-endian
 * 32-bit numbers, the data. LeCun, Cortes & Burges, http://yann.lecun.com/exdb/mnist/. `sides` is how many there must
 * be.
 * @throws UserError for a file that is no IDX file or not whole
 */
export async function readIdx(bytes: Uint8Array<ArrayBuffer>, sides: number, where: string): Promise<Idx> {
  const file = await gunzip(bytes, where);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const head = 4 + 4 * sides;
  const magic = file.length >= 4 ? view.getUint32(0) : undefined;
  if (magic !== 0x0800 + sides)
    throw userError(
      where,
      `expected an IDX file that starts with ${0x0800 + sides}, got ${magic ?? "too few bytes"}`,
      again,
    );
  if (file.length < head) throw userError(where, `expected ${head} bytes of header, got ${file.length}`, again);
  const shape = Array.from({ length: sides }, (_, i) => view.getUint32(4 + 4 * i));
  const size = shape.reduce((product, side) => product * side, 1);
  if (file.length - head !== size)
    throw userError(where, `expected ${size} bytes for [${shape.join(", ")}], got ${file.length - head}`, again);
  return { shape, data: file.subarray(head) };
}

const partNames = { train: "train", test: "t10k" } as const;

/** The file of a part under one of the names it is known by. */
async function findFile(folder: string, part: string, kind: string, files: Pick<Files, "exists">): Promise<string> {
  const [what, sides] = kind.split("-") as [string, string];
  for (const dot of ["-", "."])
    for (const ending of [".gz", ""]) {
      const path = `${folder}/${part}-${what}${dot}${sides}-ubyte${ending}`;
      if (await files.exists(path)) return path;
    }
  throw userError(folder, `expected ${part}-${kind}-ubyte.gz, got no such file`, "`imago data pull mnist` fetches it.");
}

/** An IDX file of pictures with its labels, where it has any. */
interface IdxSet {
  readonly images: Idx;
  readonly labels?: Uint8Array;
  readonly bytes: number;
  readonly sha256: string;
}

/** Reads pictures and labels, and checks that they belong together. */
async function loadSet(paths: readonly [images: string, labels?: string], files: Pick<Files, "read">): Promise<IdxSet> {
  const load = async (path: string, sides: number) => {
    const bytes = await files.read(path);
    const sum = { name: path.slice(path.lastIndexOf("/") + 1), sha256: await sha256Of(bytes) };
    return { sum, bytes: bytes.length, idx: await readIdx(bytes, sides, path) };
  };
  const images = await load(paths[0], 3);
  const labels = paths[1] === undefined ? undefined : await load(paths[1], 1);
  const [count, got] = [images.idx.shape[0]!, labels?.idx.shape[0]];
  if (images.idx.data.length === 0) throw userError(paths[0], "expected pictures, got a file with none", again);
  if (labels && got !== count)
    throw userError(paths[1]!, `expected ${count} labels, one per picture, got ${got}`, again);
  return {
    images: images.idx,
    ...(labels && { labels: labels.idx.data }),
    bytes: images.bytes + (labels?.bytes ?? 0),
    sha256: await sumOfSums(labels ? [images.sum, labels.sum] : [images.sum]),
  };
}

const clothes = "T-shirt,trouser,pullover,dress,coat,sandal,shirt,sneaker,bag,ankle boot".split(",");

/** Fashion-MNIST has the file names of MNIST: the path must tell. Other sets have numbers, ten or more. */
const classesOf = (path: string, labels?: Uint8Array): readonly string[] => {
  if (!labels) return [];
  const count = labels.reduce((most, label) => Math.max(most, label + 1), 10);
  return /fashion/i.test(path) && count === 10 ? clothes : Array.from({ length: count }, (_, i) => `${i}`);
};

const loadPart = async (folder: string, part: Part, files: Pick<Files, "read" | "exists">): Promise<IdxSet> => {
  const find = (kind: string): Promise<string> => findFile(folder, partNames[part], kind, files);
  return loadSet([await find("images-idx3"), await find("labels-idx1")], files);
};

/** MNIST and its like (Fashion-MNIST), as large as they come: { image: [N, 1, H, W] 0…1, label: [N] int64 }. */
export async function readMnist(folder: string, part: Part, files: Pick<Files, "read" | "exists">): Promise<Examples> {
  const { images, labels = [], ...sums } = await loadPart(folder, part, files);
  const [count, height, width] = images.shape as readonly [number, number, number];
  return storedExamples({
    shape: [1, height, width],
    data: images.data,
    labels,
    classes: classesOf(folder, Uint8Array.from(labels)),
    skipped: [],
    description: { count, ...sums },
  });
}

/** Whether a file's name is that of IDX pictures. */
export const isIdxName = (name: string): boolean => /idx3-ubyte(\.gz)?$/.test(name);

/** The labels that belong to IDX pictures by name, if they are there. */
async function labelsBeside(path: string, files: Pick<Files, "exists">): Promise<string | undefined> {
  const [, folder, name] = /^(.*\/)?([^/]*)$/.exec(path)!;
  const labels = `${folder ?? ""}${name!.replace("images", "labels").replace("idx3", "idx1")}`;
  return labels !== path && (await files.exists(labels)) ? labels : undefined;
}

/** The part of MNIST or its like in a folder, brought to a format. */
export async function openMnist(
  folder: string,
  { part, ...format }: PartFormat,
  files: Pick<Files, "read" | "exists">,
): Promise<Examples> {
  const set = await loadPart(folder, part, files);
  return collect(
    folder,
    set,
    Array.from({ length: set.images.shape[0]! }, (_, i) => i),
    format,
  );
}

/** One IDX file of pictures, with the labels beside it if there are any; the last tenth of each class is held out. */
export async function openIdx(
  path: string,
  { part, ...format }: ShareFormat,
  files: Pick<Files, "read" | "exists">,
): Promise<Examples> {
  const set = await loadSet([path, await labelsBeside(path, files)], files);
  return collect(path, set, partOf(set.labels ?? new Uint8Array(set.images.shape[0]!), part, path), format);
}

function collect(
  where: string,
  { images, labels, ...sums }: IdxSet,
  numbers: readonly number[],
  format: SquareFormat,
): Examples {
  const [, height, width] = images.shape as readonly [number, number, number];
  const store = makeStore(where, numbers.length, format);
  for (const number of numbers) {
    const pixels = images.data.subarray(number * height * width, (number + 1) * height * width);
    store.add(makePicture({ width, height, channels: 1 }, pixels), labels?.[number] ?? 0);
  }
  return store.examples({ ...sums, classes: classesOf(where, labels), skipped: [] });
}
