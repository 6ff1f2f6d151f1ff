import { expect, test } from "vitest";
import {
  drawParameter,
  fans,
  icnr,
  kaiming,
  normal,
  ones,
  pytorchUniform,
  uniform,
  xavier,
  zeros,
} from "../../src/nn/initializers.ts";
import type { Shape } from "../../src/tensor/tensor.ts";

const SHAPE: Shape = [64, 32, 3, 3];
const COUNT = 64 * 32 * 9;
const draw = (initializer: Parameters<typeof drawParameter>[0], shape = SHAPE, seed = 1, key = "net/w"): number[] => [
  ...(drawParameter(initializer, shape, seed, key).data as Float32Array),
];
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
const deviation = (values: readonly number[]): number => {
  const center = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
};

test("fans of convolutions, matrices and vectors", () => {
  expect(fans([64, 32, 3, 5])).toEqual([480, 960]);
  expect(fans([10, 7])).toEqual([7, 10]);
  expect(fans([6])).toEqual([1, 6]);
});

test("constants", () => {
  expect(new Set(draw(zeros))).toEqual(new Set([0]));
  expect(new Set(draw(ones))).toEqual(new Set([1]));
});

test.each([
  ["normal", normal(0.02, 0.5), 0.5, 0.02],
  ["kaiming", kaiming(SHAPE), 0, Math.sqrt(2 / 288)],
  ["kaiming of a leaky rectifier", kaiming(SHAPE, 0.2), 0, Math.sqrt(2 / 1.04 / 288)],
] as const)("%s has its mean, deviation and tails", (_, initializer, center, spread) => {
  const values = draw(initializer);
  expect(Math.abs(mean(values) - center)).toBeLessThan((4 * spread) / Math.sqrt(COUNT));
  expect(Math.abs(deviation(values) / spread - 1)).toBeLessThan(4 / Math.sqrt(2 * COUNT));
  const inside = values.filter((value) => Math.abs(value - center) < spread).length / COUNT;
  expect(Math.abs(inside - 0.6827)).toBeLessThan(0.015);
});

test.each([
  ["uniform", uniform(0.3), 0.3],
  ["PyTorch's default", pytorchUniform(288), 1 / Math.sqrt(288)],
  ["xavier", xavier(SHAPE), Math.sqrt(6 / (288 + 576))],
] as const)("%s fills its bounds evenly", (_, initializer, bound) => {
  const values = draw(initializer);
  expect(Math.max(...values)).toBeLessThanOrEqual(Math.fround(bound));
  expect(Math.min(...values)).toBeGreaterThanOrEqual(-Math.fround(bound));
  expect(Math.max(...values)).toBeGreaterThan(0.99 * bound);
  expect(Math.min(...values)).toBeLessThan(-0.99 * bound);
  expect(Math.abs(deviation(values) / (bound / Math.sqrt(3)) - 1)).toBeLessThan(0.02);
});

test("ICNR: the filters that pixel shuffle sets side by side are equal, and only those", () => {
  const values = draw(icnr(2, normal(1)), [8, 3, 3, 3]);
  const filters = Array.from({ length: 8 }, (_, o) => values.slice(o * 27, (o + 1) * 27).join());
  for (const o of [0, 4]) expect(new Set(filters.slice(o, o + 4)).size).toBe(1);
  expect(filters[0]).not.toBe(filters[4]);
  expect(deviation(values)).toBeGreaterThan(0.7);
});

test("seed and key alone decide the numbers", () => {
  const first = draw(normal(1));
  expect(draw(normal(1))).toEqual(first);
  expect(draw(normal(1), SHAPE, 2)).not.toEqual(first);
  expect(draw(normal(1), SHAPE, 1, "net/v")).not.toEqual(first);
});
