import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { referenceRuntime } from "../../../src/engine/index.ts";
import { crop } from "../../../src/image/picture.ts";
import type { UseOf } from "../../../src/nn/use.ts";
import type { WatchParts } from "../../../src/tasks/common/watching.ts";
import { watchTranslate } from "../../../src/tasks/translate/watch.ts";
import { watchUse } from "../../../src/tasks/uses.ts";
import { temporaryFolder, testPlatform } from "../support.ts";
import { inverter, invertingWeights, meanOf, plainSsim, psnrOff, usageOf, writePairs } from "./translateSupport.ts";

const platform = testPlatform();
const HELD = [
  { left: 40, missed: 3 },
  { left: 90, missed: -5 },
  { left: 200, missed: 11 },
];

/** A set whose test part are three pairs; what is learned from plays no part. */
async function pairs(held = HELD): Promise<string> {
  const folder = await temporaryFolder();
  for (const part of ["train", "test"]) await mkdir(join(folder, part));
  await writePairs(join(folder, "train"), [{ left: 0, missed: 0 }]);
  await writePairs(join(folder, "test"), held);
  return folder;
}

interface Asked {
  readonly data: string;
  readonly validate?: string;
  readonly usage?: Partial<UseOf<"translate">>;
  readonly figure?: WatchParts["figure"];
}

async function watcher({ data, validate, usage, figure }: Asked) {
  const full = usageOf({ size: 16, pairs: "ab", ...usage });
  const parts = {
    network: inverter(full.channels),
    usage: full,
    options: { data: [data], seed: 0, ...(validate !== undefined && { validate }) },
    ...(figure && { figure }),
  } as unknown as WatchParts<UseOf<"translate">>; // what is learned from is not looked at
  return (await watchTranslate(parts, platform))(referenceRuntime());
}

const weights = invertingWeights(3);

test.each(["ab", "ba"] as const)(
  "a row of what goes in, one of what is made, one of what belongs to it: %s",
  async (direction) => {
    const { sample } = await watcher({ data: await pairs(), usage: { pairs: direction } });
    const sheet = await sample!(weights, 1);
    const [cell, gap] = [16, 4];
    expect(sheet).toMatchObject({ width: 3 * (cell + gap) + gap, height: 3 * (cell + gap) + gap, channels: 3 });
    const colorAt = (column: number, row: number): number => {
      const box = { x: gap + column * (cell + gap), y: gap + row * (cell + gap), width: cell, height: cell };
      const colors = new Set(crop(sheet, box).data);
      expect(colors.size).toBe(1);
      return [...colors][0]!;
    };
    for (const [column, { left, missed }] of HELD.entries()) {
      const right = 255 - left + missed;
      const [source, target] = direction === "ab" ? [left, right] : [right, left];
      expect([0, 1, 2].map((row) => colorAt(column, row))).toEqual([source, 255 - source, target]);
    }
  },
);

test.each(["ab", "ba"] as const)("PSNR and SSIM by their closed forms: %s", async (direction) => {
  const { evaluate } = await watcher({ data: await pairs(), usage: { pairs: direction } });
  const { psnr, ssim } = await evaluate!(weights, 1);
  expect(psnr).toBeCloseTo(meanOf(HELD.map(({ missed }) => psnrOff(missed))), 9);
  const ssims = HELD.map(({ left, missed }) =>
    direction === "ab" ? plainSsim(255 - left, 255 - left + missed) : plainSsim(left - missed, left),
  );
  expect(ssim).toBeCloseTo(meanOf(ssims), 9);
});

test("gray networks are watched in gray", async () => {
  const { sample, evaluate } = await watcher({ data: await pairs(), usage: { channels: 1 } });
  expect((await evaluate!(invertingWeights(1), 1)).psnr).toBeCloseTo(
    meanOf(HELD.map(({ missed }) => psnrOff(missed))),
    9,
  );
  expect(await sample!(invertingWeights(1), 1)).toMatchObject({ width: 64, height: 64 });
});

test("at most eight pairs are drawn; another set is judged by where one is given", async () => {
  const held = Array.from({ length: 10 }, (_, i) => ({ left: 7 + 20 * i, missed: 7 }));
  const validate = await pairs(held);
  const { sample, evaluate } = await watcher({ data: await pairs(), validate });
  expect(await sample!(weights, 1)).toMatchObject({ width: 8 * 20 + 4, height: 3 * 20 + 4 });
  expect((await evaluate!(weights, 1)).psnr).toBeCloseTo(psnrOff(7), 9);
});

test("the best weights are kept by a figure, on these pairs", async () => {
  const [data, other] = [await pairs(), await pairs([{ left: 1, missed: 1 }])];
  const figure = { name: "psnr", isHigherBetter: true };
  const [one, again, two] = [
    await watcher({ data, figure }),
    await watcher({ data, figure }),
    await watcher({ data: other, figure }),
  ];
  expect(one.best).toMatchObject(figure);
  expect([again.best!.by === one.best!.by, two.best!.by === one.best!.by]).toEqual([true, false]);
  expect((await watcher({ data })).best).toBeUndefined();
});

test("networks that learned without pairs are not watched; pairs that cannot be read are told at once", async () => {
  expect(await watcher({ data: "/nowhere", usage: { pairs: undefined } })).toEqual({});
  expect(await watcher({ data: "/nowhere", usage: { size: undefined } })).toEqual({});
  await expect(watcher({ data: "/nowhere" })).rejects.toThrow("/nowhere: expected a folder of pairs");
  const parts = { network: inverter(3), usage: usageOf({ size: 16, pairs: "ab" }), options: { data: [await pairs()], seed: 0, keepBest: "kid" } }; // biome-ignore format: one line
  await expect(watchUse(parts as never, platform)).rejects.toThrow(
    "keepBest: expected one of psnr and ssim for a network that turns pictures into others, got kid.",
  );
});
