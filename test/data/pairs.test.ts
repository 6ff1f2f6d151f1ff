import { describe, expect, test } from "vitest";
import { type PairWanted, pairs } from "../../src/data/pairs.ts";
import type { DataSource } from "../../src/data/source.ts";
import type { Tensors } from "../../src/engine/index.ts";
import { MemoryData, packed } from "./dataSupport.ts";
import { marksOf, pixelAt, pixelOf, plainOf, sideBySide } from "./pairSupport.ts";

const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** A set of pairs whose halves have the given side; seven learn, one is for testing. */
function set(side: number): MemoryData {
  const data = new MemoryData();
  for (const number of numbersTo(7)) data.put(`set/train/${number}.png`, packed(sideBySide(side, number)));
  return data.put("set/test/9.png", packed(sideBySide(side, 9)));
}

const open = (data: MemoryData, wanted: Partial<PairWanted> = {}, seed = 3): Promise<DataSource> =>
  pairs({ batch: 3, size: 16, channels: 3, direction: "ab", ...wanted }).open(
    { data: ["set"], seed, options: {} },
    data.tools,
  );

/** Where a picture of a batch was cut, whether it is mirrored, and its pair: told by a corner, checked at every pixel. */
function cutOf(batch: Tensors, name: "source" | "target", n: number, half: "a" | "b") {
  const image = batch[name]!;
  const size = image.shape[3]!;
  const told = (x: number, y: number) => pixelAt(image, n, x, y).map((value) => (half === "a" ? value : 255 - value));
  const [[left], [right]] = [told(0, 0), told(size - 1, 0)] as [number[], number[]];
  const cut = { x: Math.min(left!, right!) / 10, y: told(0, 0)[1]! / 10, pair: told(0, 0)[2]! };
  const isMirrored = left! > right!;
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      const x = cut.x + (isMirrored ? size - 1 - column : column);
      const wanted = pixelOf(half, x, cut.y + row, cut.pair);
      if (pixelAt(image, n, column, row).join() !== wanted.join())
        throw new Error(`${name} ${n}: expected ${wanted.join()} at ${column}, ${row}`);
    }
  return { ...cut, isMirrored };
}

test("ab gives the left half, ba the right one; both halves belong to one pair", async () => {
  for (const [direction, source, target] of [
    ["ab", "a", "b"],
    ["ba", "b", "a"],
  ] as const) {
    const batch = await (await open(set(16), { direction })).batch(1);
    expect(Object.keys(batch).sort()).toEqual(["source", "target"]);
    for (const n of numbersTo(3)) {
      const given = cutOf(batch, "source", n, source);
      expect(given).toMatchObject({ x: 0, y: 0, isMirrored: false });
      expect(cutOf(batch, "target", n, target)).toEqual(given);
    }
  }
});

test("every epoch shows each learned pair once, in an order of its own", async () => {
  const source = await open(set(16));
  const shown: number[] = [];
  for (let step = 1; step <= 14; step++) shown.push(...marksOf((await source.batch(step)).source!, 2));
  const epochs = numbersTo(6).map((epoch) => shown.slice(7 * epoch, 7 * epoch + 7));
  for (const epoch of epochs) expect(epoch.toSorted()).toEqual(numbersTo(7));
  expect(new Set(epochs.map(String)).size).toBeGreaterThan(4);
  expect(source.description.count).toBe(7);
});

describe("jitter and flips", () => {
  // 16 pixels grow by 30/256 to 18: the halves are stored at 18, so that nothing is resized and every cut can be read.
  const wanted = { jitter: true, flip: true };

  test("cut and mirror are the same for both halves, inside, and of every kind", async () => {
    const source = await open(set(18), wanted);
    const seen = { x: new Set<number>(), y: new Set<number>(), isMirrored: new Set<boolean>() };
    for (let step = 1; step <= 12; step++) {
      const batch = await source.batch(step);
      expect(batch.target!.shape).toEqual([3, 3, 16, 16]);
      for (const n of numbersTo(3)) {
        const cut = cutOf(batch, "source", n, "a");
        expect(cutOf(batch, "target", n, "b")).toEqual(cut);
        seen.x.add(cut.x);
        seen.y.add(cut.y);
        seen.isMirrored.add(cut.isMirrored);
      }
    }
    expect([[...seen.x].sort(), [...seen.y].sort(), seen.isMirrored.size]).toEqual([[0, 1, 2], [0, 1, 2], 2]);
  });

  test("one without the other", async () => {
    const [cut, mirrored] = [await open(set(18), { jitter: true }), await open(set(16), { flip: true })];
    const mirrors: boolean[] = [];
    for (let step = 1; step <= 6; step++) {
      const [one, two] = [await cut.batch(step), await mirrored.batch(step)];
      for (const n of numbersTo(3)) {
        expect(cutOf(one, "source", n, "a").isMirrored).toBe(false);
        const found = cutOf(two, "target", n, "b");
        expect(found).toMatchObject({ x: 0, y: 0 });
        mirrors.push(found.isMirrored);
      }
    }
    expect(new Set(mirrors).size).toBe(2);
  });

  test("seed and step alone decide, in whatever order steps are asked for", async () => {
    const [one, again, other] = [
      await open(set(18), wanted),
      await open(set(18), wanted),
      await open(set(18), wanted, 4),
    ];
    const forwards = [await one.batch(1), await one.batch(2), await one.batch(5)].map(plainOf);
    const backwards = [await again.batch(5), await again.batch(2), await again.batch(1)].map(plainOf).reverse();
    expect(backwards).toEqual(forwards);
    expect(plainOf(await other.batch(1))).not.toEqual(forwards[0]);
  });
});

test("files that cannot be read are skipped and told", async () => {
  const source = await open(set(16).put("set/train/3.png", "no"));
  expect(source.skipped.map(({ path }) => path)).toEqual(["set/train/3.png"]);
  expect(source.description.count).toBe(6);
  const shown = [...marksOf((await source.batch(1)).target!, 2), ...marksOf((await source.batch(2)).target!, 2)];
  expect(shown.map((mark) => 255 - mark).toSorted()).toEqual([0, 1, 2, 4, 5, 6]);
});

test("more than one folder is refused", async () => {
  const kind = pairs({ batch: 1, size: 16, channels: 3, direction: "ab" });
  await expect(kind.open({ data: ["set", "more"], seed: 0, options: {} }, set(16).tools)).rejects.toThrow(
    "data: expected one folder of pairs, got set and more.",
  );
});
