import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { exampleSource } from "../../../src/data/exampleSource.ts";
import { readIdx, readMnist } from "../../../src/data/sets/mnist.ts";
import { UserError } from "../../../src/errors.ts";
import { floats } from "../../../src/tensor/tensor.ts";
import { MemoryFiles } from "../../train/support.ts";
import { idx } from "../dataSupport.ts";

const zipped = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(gzipSync(bytes));

describe("IDX", () => {
  test("is read plain and packed", async () => {
    const file = idx([2, 1, 3], [1, 2, 3, 4, 5, 255]);
    const expected = { shape: [2, 1, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 255) };
    expect(await readIdx(file, 3, "a")).toEqual(expected);
    expect(await readIdx(zipped(file), 3, "a")).toEqual(expected);
  });

  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ["empty", new Uint8Array(), /starts with 2051, got too few bytes/],
    ["labels in place of pictures", idx([3], [1, 2, 3]), /starts with 2051, got 2049/],
    ["floats", idx([1, 1, 1], [0, 0, 0, 0], 0x0d03), /starts with 2051, got 3331/],
    [
      "cut short in the header",
      idx([1, 1, 1], [1]).subarray(0, 10) as Uint8Array<ArrayBuffer>,
      /16 bytes of header, got 10/,
    ],
    ["cut short", idx([2, 2, 2], [1, 2, 3]), /expected 8 bytes for \[2, 2, 2\], got 3/],
    ["too long", idx([1, 1, 1], [1, 2]), /expected 1 bytes/],
    ["sides beyond all numbers", idx([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], [1]), /expected 7.9\d*e\+28 bytes/],
    ["damaged gzip", zipped(idx([1, 1, 1], [1])).map((value, i) => (i === 12 ? value ^ 255 : value)), /gzip/],
    ["gzip cut short", zipped(idx([1, 1, 9], Array(9).fill(3))).slice(0, -9), /gzip/],
  ])("%s is refused", async (_, file, message) => {
    await expect(readIdx(file, 3, "mnist/a.gz")).rejects.toThrow(UserError);
    await expect(readIdx(file, 3, "mnist/a.gz")).rejects.toThrow(/^mnist\/a\.gz: /);
    await expect(readIdx(file, 3, "mnist/a.gz")).rejects.toThrow(message);
  });
});

/** Five pictures of 2×3; picture i holds i in its corner. */
const digits = async () => {
  const files = new MemoryFiles();
  const pixels = [0, 1, 2, 3, 4].flatMap((i) => [i, 51, 102, 153, 204, 255]);
  await files.write("mnist/train-images-idx3-ubyte.gz", zipped(idx([5, 2, 3], pixels)));
  await files.write("mnist/train-labels.idx1-ubyte", idx([5], [9, 8, 7, 6, 5]));
  await files.write("mnist/t10k-images-idx3-ubyte", idx([1, 2, 3], [0, 0, 0, 0, 0, 1]));
  return files;
};

describe("MNIST", () => {
  test("gives pictures in 0…1 and labels", async () => {
    const files = await digits();
    const examples = await readMnist("mnist", "train", files);
    const { image, label } = examples.take([3, 0]);
    expect(image!.shape).toEqual([2, 1, 2, 3]);
    expect(floats(image!)).toEqual(Float32Array.of(3 / 255, 0.2, 0.4, 0.6, 0.8, 1, 0, 0.2, 0.4, 0.6, 0.8, 1));
    expect(label).toEqual({ dtype: "int64", shape: [2], data: BigInt64Array.of(6n, 9n) });
    const sum = (name: string) =>
      createHash("sha256")
        .update(files.content.get(`mnist/${name}`)!)
        .digest("hex");
    const lines = ["train-images-idx3-ubyte.gz", "train-labels.idx1-ubyte"].map((name) => `${sum(name)}  ${name}\n`);
    expect(examples.description.sha256).toBe(createHash("sha256").update(lines.join("")).digest("hex"));
    expect(examples.description.count).toBe(5);
  });

  test("names what is missing, and how to get it", async () => {
    await expect(readMnist("mnist", "test", await digits())).rejects.toThrow(
      "mnist: expected t10k-labels-idx1-ubyte.gz, got no such file. `imago data pull mnist` fetches it.",
    );
  });

  test("refuses another number of labels", async () => {
    const files = await digits();
    await files.write("mnist/t10k-labels-idx1-ubyte", idx([2], [1, 2]));
    await expect(readMnist("mnist", "test", files)).rejects.toThrow(/expected 1 labels, one per picture, got 2/);
  });
});

describe("batches of examples", () => {
  test("show each once per epoch, across the ends of epochs, in a new order each", async () => {
    const examples = await readMnist("mnist", "train", await digits());
    const labels = async (batch: number, steps: readonly number[], seed = 1) => {
      const source = exampleSource(examples, { batch, seed });
      const all = [];
      for (const step of steps) all.push(...((await source.batch(step)).label!.data as BigInt64Array));
      return all.map(Number);
    };
    const twelve = await labels(3, [1, 2, 3, 4, 5]);
    for (const epoch of [0, 1, 2]) expect(twelve.slice(epoch * 5, epoch * 5 + 5).sort()).toEqual([5, 6, 7, 8, 9]);
    expect(new Set([0, 1, 2].map((epoch) => twelve.slice(epoch * 5, epoch * 5 + 5).join())).size).toBeGreaterThan(1);
    expect(await labels(3, [4])).toEqual(twelve.slice(9, 12));
    expect(await labels(15, [1])).toEqual(twelve); // the order does not depend on the size of batches
    expect(await labels(15, [1], 2)).not.toEqual(twelve);
  });

  test("a batch below one is refused", async () => {
    const examples = await readMnist("mnist", "train", await digits());
    expect(() => exampleSource(examples, { batch: 0, seed: 1 })).toThrow(/^batch: /);
  });
});
