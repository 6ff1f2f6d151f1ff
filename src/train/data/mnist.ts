import { userError } from "../../errors.ts";
import { indices, tensor } from "../../tensor/tensor.ts";
import type { Files } from "../files.ts";
import type { Examples } from "./examples.ts";
import { sha256Of, sumOfSums } from "./source.ts";

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
 * Reads IDX, the format of MNIST: two zero bytes, the type (8: bytes), the number of sides, the sides as big-endian 32-bit
 * numbers, the data. LeCun, Cortes & Burges, http://yann.lecun.com/exdb/mnist/. `sides` is how many there must be.
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

/** MNIST and its like (Fashion-MNIST): { image: [N, 1, H, W] 0…1, label: [N] int64 }. */
export async function readMnist(
  folder: string,
  part: "train" | "test",
  files: Pick<Files, "read" | "exists">,
): Promise<Examples> {
  const load = async (kind: string, sides: number) => {
    const path = await findFile(folder, partNames[part], kind, files);
    const bytes = await files.read(path);
    const sum = { name: path.slice(folder.length + 1), sha256: await sha256Of(bytes) };
    return { path, sum, bytes: bytes.length, idx: await readIdx(bytes, sides, path) };
  };
  const [images, labels] = [await load("images-idx3", 3), await load("labels-idx1", 1)];
  const [count, height, width] = images.idx.shape as readonly [number, number, number];
  if (labels.idx.shape[0] !== count || count === 0)
    throw userError(labels.path, `expected ${count} labels, one per picture, got ${labels.idx.shape[0]}`, again);
  const area = height * width;
  return {
    description: { count, bytes: images.bytes + labels.bytes, sha256: await sumOfSums([images.sum, labels.sum]) },
    classes: [..."0123456789"],
    take(numbers) {
      const pixels = new Float32Array(numbers.length * area);
      numbers.forEach((number, i) => {
        for (let p = 0; p < area; p++) pixels[i * area + p] = images.idx.data[number * area + p]! / 255;
      });
      return {
        image: tensor(pixels, [numbers.length, 1, height, width]),
        label: indices(
          numbers.map((number) => labels.idx.data[number]!),
          [numbers.length],
        ),
      };
    },
  };
}
