import { expect, test } from "vitest";
import { constantRate, cosineRate, linearDecay, stepRate, warmUp } from "../../src/nn/schedules.ts";

test("constant", () => {
  expect([1, 50].map(constantRate(0.1))).toEqual([0.1, 0.1]);
});

test("steps fall after each milestone", () => {
  const rate = stepRate(1, { after: [10, 20], factor: 0.5 });
  expect([1, 10, 11, 20, 21, 99].map(rate)).toEqual([1, 1, 0.5, 0.5, 0.25, 0.25]);
  expect(stepRate(1, { after: [1] })(2)).toBeCloseTo(0.1, 12);
});

test("cosine: ends, middle, a third, and no rise afterwards", () => {
  const rate = cosineRate(1, { steps: 101, end: 0.2 });
  expect(rate(1)).toBe(1);
  expect(rate(51)).toBeCloseTo(0.6, 12);
  expect(cosineRate(1, { steps: 4 })(2)).toBeCloseTo(0.75, 12);
  expect(rate(101)).toBeCloseTo(0.2, 12);
  expect(rate(150)).toBeCloseTo(0.2, 12);
  expect(cosineRate(1, { steps: 1 })(1)).toBe(1);
});

test("linear decay holds, then falls to zero", () => {
  const rate = linearDecay(2, { from: 100, steps: 200 });
  expect([1, 100, 150, 200, 250].map(rate)).toEqual([2, 2, 1, 0, 0]);
});

test("warm-up rises in a straight line to the schedule", () => {
  const rate = warmUp(constantRate(1), { steps: 4 });
  expect([1, 2, 3, 4, 5].map(rate)).toEqual([0.25, 0.5, 0.75, 1, 1]);
});
