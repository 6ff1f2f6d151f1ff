import { describe, expect, test } from "vitest";
import type { PartFormat } from "../../../src/data/exampleSource.ts";
import { openPairs, type PairSet } from "../../../src/data/sets/pairs.ts";
import { makePicture } from "../../../src/image/picture.ts";
import { MemoryData, packed, plain } from "../dataSupport.ts";
import { half, marksOf, pixelAt, pixelOf, sideBySide } from "../pairSupport.ts";

const SIDE = 6;
const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const nameOf = (number: number): string => `${String(number).padStart(2, "0")}.png`;

const open = (data: MemoryData, place: string, format: Partial<PartFormat> = {}): Promise<PairSet> =>
  openPairs(place, { size: SIDE, channels: 3, part: "train", ...format }, data.tools);

/** Pictures side by side in a folder, numbered from `first`. */
function filled(data: MemoryData, folder: string, count: number, first = 0): MemoryData {
  for (const number of numbersTo(count))
    data.put(`${folder}/${nameOf(number)}`, packed(sideBySide(SIDE, first + number)));
  return data;
}

/** Two sub-folders with the halves of the same pairs. */
function halves(data: MemoryData, folder: string, [a, b]: readonly [string, string], count: number): MemoryData {
  for (const number of numbersTo(count)) {
    data.put(`${folder}/${a}/${nameOf(number)}`, packed(half("a", SIDE, number)));
    data.put(`${folder}/${b}/${nameOf(number)}`, packed(half("b", SIDE, number)));
  }
  return data;
}

/** The numbers of the pairs of a set, read from both halves. */
function pairsOf({ a, b }: PairSet): number[] {
  const all = numbersTo(a.description.count);
  const [left, right] = [marksOf(a.take(all).image!, 2), marksOf(b.take(all).image!, 2)];
  expect(right).toEqual(left.map((number) => 255 - number));
  return left;
}

describe("pictures side by side", () => {
  test("the left half is a, the right one b, pixel by pixel", async () => {
    const set = await open(filled(new MemoryData(), "set", 3), "set/");
    expect(set.a.description).toEqual(set.b.description);
    expect(set.a.take([0, 2]).image!.shape).toEqual([2, 3, SIDE, SIDE]);
    for (const which of ["a", "b"] as const)
      for (let y = 0; y < SIDE; y++)
        for (let x = 0; x < SIDE; x++)
          expect(pixelAt(set[which].take([0, 2]).image!, 1, x, y)).toEqual(pixelOf(which, x, y, 2));
  });

  test("the description counts pairs and sums up the files", async () => {
    const data = filled(new MemoryData(), "set", 4);
    const { a } = await open(data, "set");
    expect(a.description).toEqual({
      count: 4,
      bytes: 4 * (4 + 2 * SIDE * SIDE * 3),
      sha256: data.sum("set", "00.png", "01.png", "02.png", "03.png"),
    });
    expect(a.classes).toEqual([]);
  });

  test("halves that are no squares give their middle squares, gray where it is asked for", async () => {
    const [width, height] = [20, 4];
    const columns = Uint8Array.from({ length: width * height }, (_, i) => 10 * (i % width)); // 0, 10, 20 … in each row
    const data = new MemoryData().put("set/a.png", packed(makePicture({ width, height, channels: 1 }, columns)));
    const { a, b } = await open(data, "set", { size: 4, channels: 1 });
    const row = (image: typeof a) => numbersTo(4).map((x) => pixelAt(image.take([0]).image!, 0, x, 3)[0]);
    expect(row(a)).toEqual([30, 40, 50, 60]); // columns 3 … 6 of 0 … 9
    expect(row(b)).toEqual([130, 140, 150, 160]);
  });
});

describe("two sub-folders", () => {
  test.each([
    ["a", "b"],
    ["A", "B"],
    ["source", "target"],
    ["input", "target"],
    ["label", "photo"],
    ["labels", "photos"],
    ["inked", "sketched"], // others by the alphabet
    ["Zebras", "horses"], // capitals come first
  ] as const)("%s and %s", async (a, b) => {
    const data = halves(new MemoryData(), "set", [a, b], 3);
    const set = await open(data, "set");
    expect(pairsOf(set)).toEqual([0, 1, 2]);
    const names = numbersTo(3).flatMap((number) => [`${a}/${nameOf(number)}`, `${b}/${nameOf(number)}`]);
    expect(set.a.description.sha256).toBe(data.sum("set", ...names));
    expect(set.a.description.bytes).toBe(6 * (4 + SIDE * SIDE * 3));
  });

  test("which one is first does not depend on the order in which they are listed", async () => {
    const data = new MemoryData();
    data.put("set/photo/1.png", packed(half("b", SIDE, 5))).put("set/label/1.png", packed(half("a", SIDE, 5)));
    expect(pairsOf(await open(data, "set"))).toEqual([5]);
  });

  test("partners may have other endings, lie in folders below, and hidden files are passed over", async () => {
    const data = new MemoryData();
    data.put("set/a/x/1.png", packed(half("a", SIDE, 1))).put("set/b/x/1.jpg", packed(half("b", SIDE, 1)));
    data.put("set/a/y/1.png", packed(half("a", SIDE, 2))).put("set/b/y/1.jpg", packed(half("b", SIDE, 2)));
    data.put("set/.cache/1.png", "no picture").put("set/a/.1.png", "no picture");
    expect(pairsOf(await open(data, "set"))).toEqual([1, 2]);
  });

  test("a name without a partner is refused, on either side", async () => {
    const more = (folder: string) =>
      halves(new MemoryData(), "set", ["a", "b"], 2).put(`set/${folder}/lone.png`, packed(plain(6, 6, 0, 0, 0)));
    await expect(open(more("a"), "set")).rejects.toThrow(
      "set/a/lone.png: expected a picture of the same name in b, got none. Add it, or take this one away.",
    );
    await expect(open(more("b"), "set")).rejects.toThrow(
      "set/b/lone.png: expected a picture of the same name in a, got none. Add it, or take this one away.",
    );
  });

  test("one sub-folder, or three, are refused", async () => {
    const data = new MemoryData().put("set/a/1.png", "x");
    const told = (count: number) => `expected pictures side by side, or two sub-folders of the same names, got ${count} sub-folders`; // biome-ignore format: one line
    await expect(open(data, "set")).rejects.toThrow(told(1));
    await expect(open(data.put("set/b/1.png", "x").put("set/c/1.png", "x"), "set")).rejects.toThrow(told(3));
  });
});

describe("parts", () => {
  test("the last tenth by name is held out, rounded down", async () => {
    const data = filled(new MemoryData(), "set", 29);
    expect(pairsOf(await open(data, "set"))).toEqual(numbersTo(27));
    expect(pairsOf(await open(data, "set", { part: "test" }))).toEqual([27, 28]);
    const two = halves(new MemoryData(), "set", ["a", "b"], 10);
    expect(pairsOf(await open(two, "set"))).toEqual(numbersTo(9));
    expect(pairsOf(await open(two, "set", { part: "test" }))).toEqual([9]);
  });

  test("sub-folders train and test, or val, are the parts, and nothing is held out of them", async () => {
    for (const held of ["test", "val"]) {
      const data = filled(filled(new MemoryData(), "set/train", 12), `set/${held}`, 3, 50);
      expect(pairsOf(await open(data, "set"))).toEqual(numbersTo(12));
      expect(pairsOf(await open(data, "set", { part: "test" }))).toEqual([50, 51, 52]);
    }
    const both = filled(filled(filled(new MemoryData(), "set/train", 2), "set/val", 2, 60), "set/test", 2, 50);
    expect(pairsOf(await open(both, "set", { part: "test" }))).toEqual([50, 51]);
    const inside = halves(halves(new MemoryData(), "set/train", ["a", "b"], 3), "set/test", ["a", "b"], 2);
    expect(pairsOf(await open(inside, "set"))).toEqual([0, 1, 2]);
    expect(pairsOf(await open(inside, "set", { part: "test" }))).toEqual([0, 1]);
  });

  test("the last tenth of train alone is held out", async () => {
    const data = filled(new MemoryData(), "set/train", 20);
    expect(pairsOf(await open(data, "set"))).toEqual(numbersTo(18));
    expect(pairsOf(await open(data, "set", { part: "test" }))).toEqual([18, 19]);
  });

  test("fewer than ten pairs have no test part", async () => {
    const data = filled(new MemoryData(), "set", 9);
    expect(pairsOf(await open(data, "set"))).toEqual(numbersTo(9));
    await expect(open(data, "set", { part: "test" })).rejects.toThrow("to hold the last tenth out for testing, got 9");
  });
});

describe("files that cannot be used", () => {
  test("are skipped with the reason, and the pairs after them stay together", async () => {
    const data = filled(new MemoryData(), "set", 4);
    data.put("set/01.png", "no").put("set/02.png", packed(plain(7, 3, 1, 2, 3)));
    const set = await open(data, "set");
    expect(pairsOf(set)).toEqual([0, 3]);
    expect(set.a.skipped.map(({ path }) => path)).toEqual(["set/01.png", "set/02.png"]);
    expect(set.a.skipped[1]!.reason).toContain("expected two halves of one width side by side, got 7×3");
    expect(set.a.description.sha256).toBe(data.sum("set", "00.png", "03.png"));
  });

  test("a half that cannot be read takes its partner with it", async () => {
    const data = halves(new MemoryData(), "set", ["a", "b"], 4).put("set/b/01.png", "no").put("set/a/02.png", "no");
    const set = await open(data, "set");
    expect(pairsOf(set)).toEqual([0, 3]);
    expect(set.a.skipped.map(({ reason }) => reason.split(":")[0])).toEqual(["set/b/01.png", "set/a/02.png"]);
    expect(set.b.skipped).toEqual(set.a.skipped);
  });

  test("none that can be used, no folder, an empty folder", async () => {
    const data = new MemoryData().put("set/1.png", packed(plain(3, 3, 0, 0, 0)));
    await expect(open(data, "set")).rejects.toThrow("expected pictures that can be read, got none among 1 file.");
    await expect(open(data, "gone")).rejects.toThrow("gone: expected a folder of pairs, got nothing with that name.");
    await expect(open(data.put("bare/notes.txt", "x"), "bare")).rejects.toThrow("expected a folder with pictures");
  });
});

test("the folder “.” has the sum of any other", async () => {
  const [here, there] = [new MemoryData(), filled(new MemoryData(), "set", 2)];
  for (const number of [0, 1]) here.put(nameOf(number), packed(sideBySide(SIDE, number)));
  const files = Object.assign(Object.create(here) as MemoryData, {
    exists: async () => true,
    list: async () => [...here.content.keys()].map((name) => ({ name, isFolder: false })),
  });
  const set = await openPairs(".", { size: SIDE, channels: 3, part: "train" }, { files, codec: here.codec });
  expect(set.a.description).toEqual((await open(there, "set")).a.description);
});
