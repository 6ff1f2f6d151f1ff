import { describe, expect, test } from "vitest";
import type { Examples, Part } from "../../src/data/exampleSource.ts";
import { exampleSource } from "../../src/data/exampleSource.ts";
import { type OpenOptions, openExamples } from "../../src/data/openSet.ts";
import { UserError } from "../../src/errors.ts";
import { makePicture } from "../../src/image/picture.ts";
import { floats } from "../../src/tensor/tensor.ts";
import { idx, MemoryData, packed, plain } from "./dataSupport.ts";

const open = (data: MemoryData, source: string, options: Partial<OpenOptions> = {}) =>
  openExamples(source, { size: 4, channels: 1, part: "train", ...options }, data.tools);

const all = ({ description }: Examples) => Array.from({ length: description.count }, (_, i) => i);
const labels = (set: Examples) => Array.from(set.take(all(set)).label!.data as BigInt64Array, Number);
/** The first value of each picture, 0…255. */
const firsts = (set: Examples) => {
  const image = set.take(all(set)).image!;
  const length = floats(image).length / set.description.count;
  return all(set).map((i) => Math.round(255 * floats(image)[i * length]!));
};

const refused = async (opening: Promise<unknown>, message: RegExp) => {
  await expect(opening).rejects.toThrow(UserError);
  await expect(opening).rejects.toThrow(message);
};

describe("IDX", () => {
  const twenty = Array.from({ length: 20 }, (_, i) => i);
  const pixels = twenty.flatMap((i) => Array<number>(16).fill(i));

  test("a folder of MNIST has two parts and ten digits", async () => {
    const data = new MemoryData()
      .put("mnist/train-images-idx3-ubyte", idx([3, 4, 4], pixels.slice(0, 48)))
      .put("mnist/train-labels-idx1-ubyte", idx([3], [7, 0, 9]))
      .put("mnist/t10k-images-idx3-ubyte", idx([1, 4, 4], Array(16).fill(255)))
      .put("mnist/t10k-labels-idx1-ubyte", idx([1], [4]));
    const train = await open(data, "mnist/", { channels: 3 });
    expect(train.take([2]).image!.shape).toEqual([1, 3, 4, 4]);
    expect(firsts(train)).toEqual([0, 1, 2]);
    expect(labels(train)).toEqual([7, 0, 9]);
    expect(train.classes).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    expect(train.description).toEqual({
      count: 3,
      bytes: 16 + 48 + 8 + 3,
      sha256: data.sum("mnist", "train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    });
    const held = await open(data, "mnist", { part: "test" });
    expect([firsts(held), labels(held)]).toEqual([[255], [4]]);
    await refused(open(data, "mnist", { cell: 4 }), /^cell: expected a sheet of pictures, got mnist\./);
  });

  test("Fashion-MNIST is told by its path", async () => {
    const data = new MemoryData()
      .put("fashion/train-images-idx3-ubyte", idx([1, 4, 4], pixels.slice(0, 16)))
      .put("fashion/train-labels-idx1-ubyte", idx([1], [9]));
    expect((await open(data, "fashion")).classes[9]).toBe("ankle boot");
  });

  test.each(["digits", "digits/images-20-idx3-ubyte"])("one file without labels, as %s", async (source) => {
    const data = new MemoryData().put("digits/images-20-idx3-ubyte", idx([20, 4, 4], pixels));
    const [train, held] = [await open(data, source), await open(data, source, { part: "test" })];
    expect(train.classes).toEqual([]);
    expect(Object.keys(train.take([0]))).toEqual(["image"]);
    expect(firsts(train)).toEqual(twenty.slice(0, 18));
    expect(firsts(held)).toEqual([18, 19]);
  });

  test("one file with labels beside it", async () => {
    const data = new MemoryData().put("digits/images-20-idx3-ubyte", idx([20, 4, 4], pixels)).put(
      "digits/labels-20-idx1-ubyte",
      idx(
        [20],
        twenty.map((i) => (i < 10 ? 3 : 5)),
      ),
    );
    const held = await open(data, "digits/images-20-idx3-ubyte", { part: "test" });
    expect([firsts(held), labels(held)]).toEqual([
      [9, 19],
      [3, 5],
    ]);
  });
});

describe("CIFAR-10", () => {
  /** A picture whose red, green and blue planes are plain but for their first value. */
  const record = (label: number, red: number) =>
    Buffer.concat([Buffer.of(label), ...[red, red + 1, red + 2].map((v) => Buffer.of(v, ...Array(1023).fill(9)))]);
  const batches = () =>
    new MemoryData()
      .put("cifar/data_batch_1.bin", Buffer.concat([record(3, 10), record(9, 20)]))
      .put("cifar/data_batch_2.bin", record(0, 30))
      .put("cifar/test_batch.bin", record(1, 40))
      .put("cifar/readme.html", "");

  test("batches are read in order, planes and labels as they are", async () => {
    const data = batches();
    const train = await open(data, "cifar", { size: 32, channels: 3 });
    expect(labels(train)).toEqual([3, 9, 0]);
    expect(train.classes[3]).toBe("cat");
    const image = floats(train.take([1]).image!);
    expect([0, 1024, 2048, 1, 3071].map((i) => Math.round(255 * image[i]!))).toEqual([20, 21, 22, 9, 9]);
    expect(train.description).toEqual({
      count: 3,
      bytes: 3 * 3073,
      sha256: data.sum("cifar", "data_batch_1.bin", "data_batch_2.bin"),
    });
    const held = await open(data, "cifar", { size: 32, part: "test" });
    expect(labels(held)).toEqual([1]);
    expect(held.take([0]).image!.shape).toEqual([1, 1, 32, 32]);
    expect(firsts(held)).toEqual([Math.round(0.299 * 40 + 0.587 * 41 + 0.114 * 42)]);
  });

  test("names of classes come from batches.meta.txt", async () => {
    const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    const data = batches().put("cifar/batches.meta.txt", `${names.join("\n")}\n\n`);
    expect((await open(data, "cifar")).classes).toEqual(names);
    data.put("cifar/batches.meta.txt", "a\nb");
    await refused(
      open(data, "cifar"),
      /^cifar\/batches\.meta\.txt: expected the names of 10 classes, .* got 2\. Fetch/,
    );
  });

  test("what is wrong with a batch is named", async () => {
    const put = (content: Uint8Array) => new MemoryData().put("cifar/data_batch_1.bin", content);
    await refused(open(put(record(3, 1).subarray(1)), "cifar"), /expected a multiple of 3073 bytes, .* got 3072/);
    await refused(open(put(Buffer.of()), "cifar"), /got 0\. Fetch cifar-10-binary/);
    await refused(
      open(put(Buffer.concat([record(3, 1), record(10, 1)])), "cifar"),
      /from 0 to 9, got 10 for picture 1/,
    );
    await refused(open(put(record(3, 1)), "cifar", { part: "test" }), /^cifar: expected test_batch\.bin, got none/);
  });
});

/** Cells of plain gray, row by row. */
const grid = (columns: number, rows: number, cell: number, first = 0) =>
  packed(
    makePicture(
      { width: columns * cell, height: rows * cell, channels: 1 },
      Uint8Array.from({ length: columns * rows * cell * cell }, (_, i) => {
        const [x, y] = [i % (columns * cell), Math.floor(i / (columns * cell))];
        return first + Math.floor(y / cell) * columns + Math.floor(x / cell);
      }),
    ),
  );

describe("sheets", () => {
  const strips = () =>
    new MemoryData()
      .put("strips/train_dog_0.jpg", grid(1, 10, 4, 100))
      .put("strips/train_cat_0.jpg", grid(1, 8, 4, 0))
      .put("strips/train_cat_1.jpg", grid(1, 12, 4, 8))
      .put("strips/SOURCES.tsv", "file");

  test("strips are known by their shape, classes by their names, and the last tenth of each is held out", async () => {
    const data = strips();
    const [train, held] = [await open(data, "strips"), await open(data, "strips", { part: "test" })];
    expect(train.classes).toEqual(["cat", "dog"]);
    expect(firsts(train)).toEqual([...Array(18).keys(), 100, 101, 102, 103, 104, 105, 106, 107, 108]);
    expect(labels(train)).toEqual([...Array(18).fill(0), ...Array(9).fill(1)]);
    expect([firsts(held), labels(held)]).toEqual([
      [18, 19, 109],
      [0, 0, 1],
    ]);
    expect(train.description.sha256).toBe(data.sum("strips", "train_cat_0.jpg", "train_cat_1.jpg", "train_dog_0.jpg"));
  });

  test("half a strip is skipped with the reason", async () => {
    const data = strips();
    const whole = data.content.get("strips/train_cat_1.jpg")!;
    data.put("strips/train_cat_1.jpg", whole.subarray(0, 99));
    const train = await open(data, "strips");
    expect(train.skipped).toEqual([
      { path: "strips/train_cat_1.jpg", reason: "strips/train_cat_1.jpg: expected a picture, got half of one." },
    ]);
    expect(labels(train)).toEqual([...Array(8).fill(0), ...Array(9).fill(1)]);
  });

  test.each(["punks", "punks/all.png"])("a sheet is cut row by row: %s", async (source) => {
    const data = new MemoryData().put("punks/all.png", grid(5, 4, 6)).put("punks/SOURCES.tsv", "");
    const train = await open(data, source, { cell: 6 });
    expect(train.classes).toEqual([]);
    expect(firsts(train)).toEqual([...Array(18).keys()]);
    expect(firsts(await open(data, source, { cell: 6, part: "test" }))).toEqual([18, 19]);
  });

  test("cells that do not fit, and a picture without cells, are refused", async () => {
    const data = new MemoryData().put("punks/all.png", grid(5, 4, 6));
    await refused(open(data, "punks", { cell: 7 }), /cells of 7×7 pixels, got a picture of 30×24\. Give the side/);
    await refused(open(data, "punks/all.png"), /^punks\/all\.png: expected a folder .* got a single picture\. Give/);
  });
});

describe("a folder of pictures", () => {
  const zoo = () =>
    new MemoryData()
      .put("zoo/cat/b.png", packed(plain(6, 4, 20)))
      .put("zoo/cat/a.png", packed(plain(4, 4, 10)))
      .put("zoo/ape/x/c.png", packed(plain(8, 8, 90, 90, 90)))
      .put("zoo/notes.txt", "no picture");

  test("its sub-folders are the classes, sorted", async () => {
    const data = zoo();
    const set = await open(data, "zoo");
    expect(set.classes).toEqual(["ape", "cat"]);
    expect([firsts(set), labels(set)]).toEqual([
      [90, 10, 20],
      [0, 1, 1],
    ]);
    expect(set.captions).toBeUndefined();
    expect(set.description.sha256).toBe(data.sum("zoo", "ape/x/c.png", "cat/a.png", "cat/b.png"));
    expect(set.description.bytes).toBe(4 * 4 + 24 + 16 + 192 - 4);
  });

  test("a picture beside the sub-folders: no classes; captions by file name", async () => {
    const data = zoo().put("zoo/d.png", packed(plain(4, 4, 1, 2, 3, 0)));
    data.put("zoo/captions.tsv", "file\tname\tkeywords\r\ncat/a.png\ta small cat\tpet\r\nd.png\tnothing\t\r\n");
    const set = await open(data, "zoo", { channels: 3 });
    expect(set.classes).toEqual([]);
    expect(set.captions).toEqual(["", "a small cat", "", "nothing"]);
    expect(firsts(set)).toEqual([90, 10, 20, 255]);
    data.put("zoo/captions.tsv", "picture,text\n");
    await refused(open(data, "zoo"), /^zoo\/captions\.tsv: expected a first line with "file".*, got "picture,text"\./);
  });

  test("files that cannot be read are skipped, with their captions; none left is an error", async () => {
    const data = zoo();
    for (const name of ["cat/a.png", "ape/x/c.png"]) data.put(`zoo/${name}`, "\u0004\u0000\u0004\u0001half");
    data.put("zoo/captions.tsv", "file\tcaption\ncat/a.png\thalf\ncat/b.png\twhole\n");
    const set = await open(data, "zoo");
    expect(set.skipped.map(({ path }) => path)).toEqual(["zoo/ape/x/c.png", "zoo/cat/a.png"]);
    expect([firsts(set), labels(set), set.captions]).toEqual([[20], [1], ["whole"]]);
    expect(exampleSource(set, { batch: 1, seed: 1 }).skipped).toBe(set.skipped);
    data.put("zoo/cat/b.png", "");
    await refused(open(data, "zoo"), /^zoo: expected pictures that can be read, got none among 3 files\. zoo\/ape/);
  });

  test("the last tenth of each class is held out, unless there are folders train and test", async () => {
    const data = new MemoryData();
    for (let i = 0; i < 10; i++)
      for (const [at, name] of ["ape", "cat"].entries())
        data.put(`zoo/${name}/${i}.png`, packed(plain(4, 4, 10 * at + i)));
    expect(firsts(await open(data, "zoo", { part: "test" }))).toEqual([9, 19]);
    expect(firsts(await open(data, "zoo"))).toHaveLength(18);
    data.put("split/train/ape/a.png", packed(plain(4, 4, 1))).put("split/test/ape/b.png", packed(plain(4, 4, 2)));
    data.put("split/train/cat/a.png", packed(plain(4, 4, 3))).put("split/test/cat/b.png", packed(plain(4, 4, 4)));
    const of = async (part: Part) => firsts(await open(data, "split", { part }));
    expect([await of("train"), await of("test")]).toEqual([
      [1, 3],
      [2, 4],
    ]);
    data.content.delete("split/test/ape/b.png");
    const held = await open(data, "split", { part: "test" });
    expect([held.classes, labels(held)]).toEqual([["ape", "cat"], [1]]); // a class without pictures keeps its number
  });
});

describe("openExamples", () => {
  test("shapes are drawn, whatever the disk holds", async () => {
    const set = await open(new MemoryData(), "shapes", { size: 16 });
    expect(set.take([0, 1]).image!.shape).toEqual([2, 1, 16, 16]);
    expect(set.classes).toHaveLength(8);
  });

  test.each<[Partial<OpenOptions>, string, RegExp]>([
    [{ size: 0 }, "shapes", /^size: expected a whole number of pixels above zero, got 0/],
    [{ size: 2.5 }, "shapes", /^size: .* got 2\.5/],
    [{ cell: -1 }, "zoo", /^cell: .* got -1/],
    [{ channels: 2 as 1 }, "shapes", /^channels: expected 1 or 3, got 2/],
    [{ part: "val" as "test" }, "shapes", /^part: expected "train" or "test", got "val"/],
    [{ cell: 8 }, "shapes", /^cell: expected a sheet of pictures, got shapes/],
    [{}, "nowhere/", /^nowhere: expected the word `shapes`, a folder or a file, got nothing with that name/],
    [{}, "empty", /^empty: expected a folder with pictures, got one without/],
  ])("%j of %s is refused", async (options, source, message) => {
    await refused(open(new MemoryData().put("empty/readme.txt", ""), source, options), message);
  });
});
