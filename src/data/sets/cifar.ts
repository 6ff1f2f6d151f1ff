import { userError } from "../../errors.ts";
import { makePicture, type Picture } from "../../image/picture.ts";
import { type Files, readText } from "../../platform/files.ts";
import type { Examples, Part, PartFormat } from "../exampleSource.ts";
import { makeStore } from "../exampleStore.ts";
import { sha256Of, sumOfSums } from "../source.ts";

const side = 32;
const area = side * side;
/** A label, then the planes of red, green and blue. */
const record = 1 + 3 * area;
const known = "airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck".split(",");
const fetchAgain = "Fetch cifar-10-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html and unpack it.";

/** The part that a file of CIFAR-10 belongs to by its name. */
export const cifarPart = (name: string): Part | undefined =>
  /^data_batch_\d+\.bin$/.test(name) ? "train" : name === "test_batch.bin" ? "test" : undefined;

/**
 * CIFAR-10 in its binary version: data_batch_1.bin … 5.bin and test_batch.bin, names of the classes in batches.meta.txt
 * or the known ten. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html.
 * @throws UserError for files that are not whole
 */
export async function openCifar(
  folder: string,
  { part, ...format }: PartFormat,
  files: Pick<Files, "read" | "exists" | "list">,
): Promise<Examples> {
  const names = (await files.list(folder)).map(({ name }) => name).filter((name) => cifarPart(name) === part);
  if (names.length === 0)
    throw userError(
      folder,
      `expected ${part === "train" ? "data_batch_1.bin" : "test_batch.bin"}, got none`,
      fetchAgain,
    );
  const classes = await readClasses(folder, files);
  const batches = [];
  for (const name of names.sort()) {
    const bytes = await files.read(`${folder}/${name}`);
    checkBatch(bytes, `${folder}/${name}`, classes.length);
    batches.push({ name, bytes, sha256: await sha256Of(bytes) });
  }
  const total = batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const store = makeStore(folder, total / record, format);
  for (const { bytes } of batches)
    for (let at = 0; at < bytes.length; at += record) store.add(pictureAt(bytes, at + 1), bytes[at]!);
  return store.examples({ bytes: total, sha256: await sumOfSums(batches), classes, skipped: [] });
}

async function readClasses(folder: string, files: Pick<Files, "read" | "exists">): Promise<readonly string[]> {
  const path = `${folder}/batches.meta.txt`;
  if (!(await files.exists(path))) return known;
  const names = (await readText(files, path)).split(/\r?\n/).filter((line) => line.trim() !== "");
  if (names.length === known.length) return names;
  throw userError(path, `expected the names of ${known.length} classes, one a line, got ${names.length}`, fetchAgain);
}

function checkBatch(bytes: Uint8Array, path: string, classes: number): void {
  if (bytes.length === 0 || bytes.length % record !== 0)
    throw userError(
      path,
      `expected a multiple of ${record} bytes, one label and a picture each, got ${bytes.length}`,
      fetchAgain,
    );
  for (let at = 0; at < bytes.length; at += record)
    if (bytes[at]! >= classes)
      throw userError(
        path,
        `expected labels from 0 to ${classes - 1}, got ${bytes[at]} for picture ${at / record}`,
        fetchAgain,
      );
}

function pictureAt(bytes: Uint8Array, start: number): Picture {
  const data = new Uint8Array(3 * area);
  for (let p = 0, o = 0; p < area; p++) for (let c = 0; c < 3; c++) data[o++] = bytes[start + c * area + p]!;
  return makePicture({ width: side, height: side, channels: 3 }, data);
}
