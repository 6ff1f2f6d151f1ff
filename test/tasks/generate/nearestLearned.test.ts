import { expect, test } from "vitest";
import { nearest } from "../../../src/metrics/nearest.ts";
import { median, nearestLearned } from "../../../src/tasks/generate/nearestLearned.ts";
import { seeded } from "../../engine/support.ts";

test("looking through a training set in pieces finds what one look finds; copies are at zero", async () => {
  const random = seeded(2);
  const width = 3;
  const data = Float32Array.from({ length: 10_101 * width }, random);
  const made = Float32Array.from({ length: 7 * width }, random);
  made.set(data.subarray(10_050 * width, 10_051 * width), 2 * width);
  const learned = {
    count: 10_101,
    rows: (from: number, to: number) => ({ data: data.subarray(from * width, to * width), width }),
  };
  const [found, none] = await nearestLearned(
    [
      { data: made, width },
      { data: made.subarray(0, 3), width },
    ],
    learned,
  );
  expect(found).toEqual(nearest({ data: made, width }, { data, width }));
  expect([found!.index[2], found!.distance[2]]).toEqual([10_050, 0]);
  expect(none!.index).toEqual(found!.index.slice(0, 1));
});

test("the median of an even number is the mean of the middle two", () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 10])]).toEqual([2, 3.5]);
});
