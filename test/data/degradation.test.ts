import { expect, test } from "vitest";
import { bicubicReduction, type Degradation } from "../../src/data/degradation.ts";
import { type PatchWanted, patches } from "../../src/data/patches.ts";
import { makePicture, type Picture } from "../../src/image/picture.ts";
import { resize } from "../../src/image/resize.ts";
import { random } from "../../src/tensor/random.ts";
import { scrambled } from "../fixtures/pictures.ts";
import { MemoryData, packed } from "./dataSupport.ts";
import { plainOf, valuesOf } from "./pairSupport.ts";

const files = (): MemoryData => {
  const data = new MemoryData();
  for (const side of [20, 24, 29]) data.put(`set/${side}.png`, packed(scrambled({ width: side, height: side + 2 })));
  return data;
};

const wanted: PatchWanted = { scale: 2, patch: 8, batch: 4, color: "rgb", input: "lr" };
const open = (degradation?: Degradation, more: Partial<PatchWanted> = {}, seed = 3) =>
  patches({ ...wanted, ...more, ...(degradation && { degradation }) }).open(
    { data: ["set"], seed, options: {} },
    files().tools,
  );

const mapped = (picture: Picture, change: (value: number) => number): Picture =>
  makePicture(picture, Uint8Array.from(picture.data, change));

const spoiledBy = (spoil: NonNullable<Degradation["spoil"]>): Degradation => ({ ...bicubicReduction, spoil });
const inverted = spoiledBy(async (patch) => mapped(patch, (value) => 255 - value));

test("MATLAB's bicubic reduction is what happens when nothing is asked for", async () => {
  const [usual, named] = [await open(), await open(bicubicReduction)];
  for (const step of [1, 2, 7]) expect(plainOf(await named.batch(step))).toEqual(plainOf(await usual.batch(step)));
  const picture = scrambled({ width: 12, height: 8 });
  const size = { width: 6, height: 4 };
  expect(bicubicReduction.reduce(picture, 2)).toEqual(
    resize(picture, size, { method: "bicubic", convention: "matlab" }),
  );
});

test("a reduction of one's own is what the input shows; the target stays", async () => {
  const gray: Degradation = {
    reduce: ({ width, height }, scale) => {
      const size = { width: width / scale, height: height / scale, channels: 3 as const };
      return makePicture(size, new Uint8Array(size.width * size.height * 3).fill(51));
    },
  };
  for (const input of ["lr", "enlarged"] as const) {
    const [own, usual] = [
      await (await open(gray, { input })).batch(3),
      await (await open(undefined, { input })).batch(3),
    ];
    expect(new Set(valuesOf(own.input!))).toEqual(new Set([Math.fround(51 / 255)]));
    expect(valuesOf(own.target!)).toEqual(valuesOf(usual.target!));
  }
});

test.each(["lr", "enlarged"] as const)("a spoiled patch changes the input alone: %s", async (input) => {
  const [clean, spoiled] = [await open(undefined, { input }), await open(inverted, { input })];
  for (const step of [1, 2, 5]) {
    const [before, after] = [await clean.batch(step), await spoiled.batch(step)];
    expect(valuesOf(after.target!)).toEqual(valuesOf(before.target!));
    expect(valuesOf(after.input!)).toEqual(
      valuesOf(before.input!).map((value) => Math.fround((255 - Math.round(value * 255)) / 255)),
    );
  }
});

test("the patch is spoiled at its own size before it is turned, with the stream of its step and place", async () => {
  const seen: { size: string; drawn: number }[] = [];
  const noting = spoiledBy((patch, draw) => {
    seen.push({ size: `${patch.width}×${patch.height}×${patch.channels}`, drawn: draw.uniform() });
    return patch;
  });
  const source = await open(noting);
  for (const step of [4, 1]) {
    seen.length = 0;
    await source.batch(step);
    expect(seen.map(({ size }) => size)).toEqual(Array(4).fill("4×4×3"));
    const drawn = Array.from({ length: 4 }, (_, index) => {
      const draw = random(3, "patch", step, index);
      for (let used = 0; used < 3; used++) draw.uniform(); // column, row and turn
      return draw.uniform();
    });
    expect(seen.map(({ drawn }) => drawn)).toEqual(drawn);
    expect(new Set(drawn).size).toBe(4);
  }
});

test("where it is spoiled turns with the patch", async () => {
  const marked = spoiledBy((patch) => {
    const first = mapped(patch, () => 0);
    first.data.set([255, 255, 255], 0); // the upper left corner
    return first;
  });
  const source = await open(marked, { batch: 16 });
  const corners = new Set<number>();
  for (const step of [1, 2, 3]) {
    const values = valuesOf((await source.batch(step)).input!);
    for (let n = 0; n < 16; n++) {
      const plane = values.slice(n * 48, n * 48 + 16);
      expect(plane.filter((value) => value === 1)).toHaveLength(1);
      corners.add(plane.indexOf(1));
    }
  }
  expect([...corners].toSorted((a, b) => a - b)).toEqual([0, 3, 12, 15]);
});

test("noise is the same for a seed and a step, and another for others", async () => {
  const noisy = spoiledBy((patch, draw) => mapped(patch, (value) => Math.min(255, value + draw.below(40))));
  const [one, again, other] = [await open(noisy), await open(noisy), await open(noisy, {}, 4)];
  const two = await again.batch(2);
  expect([await again.batch(1), two].map(plainOf)).toEqual([await one.batch(1), await one.batch(2)].map(plainOf));
  expect(plainOf(await other.batch(1))).not.toEqual(plainOf(await one.batch(1)));
  const clean = valuesOf((await (await open()).batch(1)).input!);
  const added = valuesOf((await one.batch(1)).input!).map((value, i) => Math.round(255 * (value - clean[i]!)));
  expect(new Set(added).size).toBeGreaterThan(20);
});
