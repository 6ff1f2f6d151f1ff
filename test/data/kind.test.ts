import { expect, test } from "vitest";
import { captioned } from "../../src/data/captioned.ts";
import { examples } from "../../src/data/examples.ts";
import type { Data } from "../../src/data/kind.ts";
import { pairs } from "../../src/data/pairs.ts";
import { patches } from "../../src/data/patches.ts";
import { unpaired } from "../../src/data/unpaired.ts";
import { MemoryData, packed } from "./dataSupport.ts";
import { half, sideBySide } from "./pairSupport.ts";

const SIDE = 18;

/** A folder of every kind. */
function files(): MemoryData {
  const data = new MemoryData().put("captions/captions.tsv", "file\tcaption\n0.png\tone");
  for (let number = 0; number < 4; number++) {
    data.put(`pairs/${number}.png`, packed(sideBySide(SIDE, number)));
    for (const folder of ["two/a", "two/b", "captions"])
      data.put(`${folder}/${number}.png`, packed(half("a", SIDE, number)));
  }
  return data;
}

const patchWanted = { scale: 2, patch: 8, batch: 3 } as const;
const small = { batch: 3, size: 16 } as const;

test.each<[string, string, Data]>([
  ["pictures", "two", examples({ ...small, channels: 3 })],
  ["gray mirrored pictures", "two", examples({ ...small, channels: 1, flip: true })],
  ["pictures with classes", "two", examples({ ...small, channels: 3, classes: 2 })],
  ["patches, luma, enlarged", "two", patches({ ...patchWanted, color: "y", input: "enlarged" })],
  ["patches, RGB, low resolution", "two", patches({ ...patchWanted, color: "rgb", input: "lr" })],
  ["pairs", "pairs", pairs({ ...small, channels: 3, direction: "ab" })],
  [
    "gray pairs, cut and mirrored",
    "pairs",
    pairs({ ...small, channels: 1, direction: "ba", jitter: true, flip: true }),
  ],
  ["unpaired", "two", unpaired({ ...small, channels: 3 })],
  ["gray unpaired, mirrored", "two", unpaired({ ...small, channels: 1, flip: true })],
  ["captioned", "captions", captioned({ ...small, channels: 3, length: 7 })],
])("%s: batches have the shapes and the kinds of numbers of their leaves", async (_, place, kind) => {
  const source = await kind.open({ data: [place], seed: 1, options: {} }, files().tools);
  const batch = await source.batch(2);
  for (const [name, leaf] of Object.entries(kind.inputs(kind.batch)))
    expect({ name, shape: batch[name]?.shape, dtype: batch[name]?.dtype }).toEqual({
      name,
      shape: leaf!.shape,
      dtype: leaf!.dtype,
    });
  for (const [name, leaf] of Object.entries(kind.inputs(1))) expect([name, leaf!.shape[0]]).toEqual([name, 1]);
});
