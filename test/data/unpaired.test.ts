import { describe, expect, test } from "vitest";
import type { DataSource } from "../../src/data/source.ts";
import { type UnpairedWanted, unpaired } from "../../src/data/unpaired.ts";
import { MemoryData, packed } from "./dataSupport.ts";
import { half, marksOf, pixelAt, plainOf } from "./pairSupport.ts";

const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Two folders of five and seven pictures that are told apart by their blue: 0 … 4, and 255 … 249. */
function set(first = "horses", second = "zebras"): MemoryData {
  const data = new MemoryData();
  for (const number of numbersTo(5)) data.put(`${first}/${number}.png`, packed(half("a", 4, number)));
  for (const number of numbersTo(7)) data.put(`${second}/${number}.png`, packed(half("b", 4, number)));
  return data;
}

interface Asked extends Partial<UnpairedWanted> {
  readonly places?: readonly string[];
  readonly seed?: number;
}

const open = (data: MemoryData, { places = ["horses", "zebras"], seed = 3, ...wanted }: Asked = {}) =>
  unpaired({ batch: 5, size: 4, channels: 3, ...wanted }).open({ data: places, seed, options: {} }, data.tools);

/** The marks of the first steps. */
async function shownBy(source: DataSource, steps: number): Promise<{ readonly a: number[]; readonly b: number[] }> {
  const shown = { a: [] as number[], b: [] as number[] };
  for (let step = 1; step <= steps; step++) {
    const { a, b } = await source.batch(step);
    shown.a.push(...marksOf(a!, 2));
    shown.b.push(...marksOf(b!, 2).map((mark) => 255 - mark));
  }
  return shown;
}

describe("where the two sets lie", () => {
  test.each([
    [["horses", "zebras"], "horses", "zebras"],
    [["horses/", "zebras/"], "horses", "zebras"],
    [["set"], "set/trainA", "set/trainB"],
    [["set/"], "set/A", "set/B"],
    [["set"], "set/a", "set/b"],
  ] as const)("%j", async (places, first, second) => {
    const source = await open(set(first, second), { places });
    const { a, b } = await shownBy(source, 7);
    expect([...new Set(a)].toSorted()).toEqual(numbersTo(5));
    expect([...new Set(b)].toSorted()).toEqual(numbersTo(7));
  });

  test("trainA and trainB go before others", async () => {
    const data = set("set/trainA", "set/trainB").put("set/A/1.png", "no").put("set/B/1.png", "no");
    expect((await open(data, { places: ["set"] })).description.count).toBe(12);
  });

  test("others are refused", async () => {
    const data = set("set/horses", "set/zebras");
    await expect(open(data, { places: ["set"] })).rejects.toThrow(
      "set: expected the sub-folders trainA and trainB, A and B, or a and b, got others. Or name two folders.",
    );
    await expect(open(data, { places: ["a", "b", "c"] })).rejects.toThrow(
      "data: expected two folders, or one that holds both, got 3.",
    );
  });
});

test("each set shows every picture once an epoch, in an order of its own", async () => {
  const { a, b } = await shownBy(await open(set()), 21);
  for (let at = 0; at < a.length; at += 5) expect(a.slice(at, at + 5).toSorted()).toEqual(numbersTo(5));
  for (let at = 0; at < b.length; at += 7) expect(b.slice(at, at + 7).toSorted()).toEqual(numbersTo(7));
});

test("two sets of one size go in different orders", async () => {
  const data = new MemoryData();
  for (const number of numbersTo(9)) {
    data.put(`horses/${number}.png`, packed(half("a", 4, number)));
    data.put(`zebras/${number}.png`, packed(half("b", 4, number)));
  }
  const { a, b } = await shownBy(await open(data), 9);
  expect(a).not.toEqual(b);
});

test("mirrors are drawn for each set by itself", async () => {
  const source = await open(set(), { flip: true });
  const isMirrored = (first: number, last: number) => Math.abs(first) > Math.abs(last);
  const [left, right]: [boolean[], boolean[]] = [[], []];
  for (let step = 1; step <= 8; step++) {
    const { a, b } = await source.batch(step);
    for (const n of numbersTo(5)) {
      const [first, last] = [pixelAt(a!, n, 0, 1), pixelAt(a!, n, 3, 1)];
      expect([first[0], last[0]].toSorted()).toEqual([0, 30]);
      left.push(isMirrored(first[0]!, last[0]!));
      right.push(isMirrored(255 - pixelAt(b!, n, 0, 1)[0]!, 255 - pixelAt(b!, n, 3, 1)[0]!));
    }
  }
  for (const mirrors of [left, right]) expect(new Set(mirrors).size).toBe(2);
  expect(left).not.toEqual(right);
});

test("seed and step alone decide; the description counts both sets", async () => {
  const [one, again, other] = [await open(set()), await open(set()), await open(set(), { seed: 4 })];
  const two = await again.batch(2);
  expect(plainOf(await again.batch(1))).toEqual(plainOf(await one.batch(1)));
  expect(plainOf(two)).toEqual(plainOf(await one.batch(2)));
  expect(await shownBy(other, 3)).not.toEqual(await shownBy(one, 3));
  expect(one.description).toEqual({ ...other.description, count: 12, bytes: 12 * (4 + 4 * 4 * 3) });
  const less = await open(set().put("zebras/3.png", packed(half("b", 4, 9))));
  expect(less.description.sha256).not.toBe(one.description.sha256);
});

test("skipped files of both sets are told, and classes are none", async () => {
  const data = set("horses", "zebras/kinds").put("horses/2.png", "no").put("zebras/other/x.png", "no");
  const source = await open(data);
  expect(source.skipped.map(({ path }) => path)).toEqual(["horses/2.png", "zebras/other/x.png"]);
  expect(Object.keys(await source.batch(1)).sort()).toEqual(["a", "b"]);
});
