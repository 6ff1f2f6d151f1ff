import { expect, test } from "vitest";
import { startPace } from "../../src/train/speed.ts";

test("speed counts all but the first step, which warms up", () => {
  let time = 0;
  const pace = startPace(() => time);
  expect([pace.picturesPerSecond, pace.secondsPerStep, pace.waiting]).toEqual([0, 0, 0]);
  time = 5000;
  pace.step(10, 1);
  expect([pace.picturesPerSecond, pace.secondsPerStep, pace.waiting]).toEqual([2, 5, 0.2]);
  time = 6000;
  pace.step(10, 0.25);
  expect([pace.picturesPerSecond, pace.secondsPerStep, pace.waiting]).toEqual([10, 1, 0.25]);
});

test("only the last steps count", () => {
  let time = 0;
  const pace = startPace(() => time, 3);
  for (const seconds of [9, 9, 9, 1, 2, 3]) {
    time += seconds * 1000;
    pace.step(6, 0);
  }
  expect(pace.secondsPerStep).toBe(2);
  expect(pace.picturesPerSecond).toBe(3);
});
