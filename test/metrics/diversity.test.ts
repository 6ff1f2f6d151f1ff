import { describe, expect, test } from "vitest";
import { diversity, meanPairwiseDistance } from "../../src/metrics/diversity.ts";
import { featuresOf } from "../../src/metrics/features.ts";
import { distanceOf, listed, normalRows } from "./rows.ts";

const square = featuresOf([[0, 0], [3, 0], [0, 4], [3, 4]]); // biome-ignore format: one line

describe("mean pairwise distance", () => {
  test("of a rectangle's corners: two sides of 3, two of 4, two diagonals of 5", () => {
    expect(meanPairwiseDistance(square)).toBeCloseTo(4, 12);
  });

  test("of equal rows is exactly zero, though they are far from the origin", () => {
    expect(meanPairwiseDistance(featuresOf(Array.from({ length: 70 }, () => [1e3, 0.1, -7])))).toBe(0);
  });

  test("equals a naive sum over all pairs, across tiles", () => {
    const rows = normalRows(150, 7, 3);
    const all = listed(rows);
    const pairs = all.flatMap((x, i) => all.slice(i + 1).map((y) => distanceOf(x, y)));
    expect(meanPairwiseDistance(rows)).toBeCloseTo(pairs.reduce((a, b) => a + b) / pairs.length, 9);
  });

  test("of standard normal rows is nearly √(2 D)", () => {
    expect(meanPairwiseDistance(normalRows(300, 500, 1))).toBeCloseTo(Math.sqrt(1000), 0);
  });

  test("needs two rows", () => {
    expect(() => meanPairwiseDistance(featuresOf([[1, 2]]))).toThrow("expected at least 2 feature rows, got 1");
  });
});

describe("diversity", () => {
  const real = { rows: square };

  test("is 1 for the pictures themselves, a half for half the distance, 0 for one picture again and again", () => {
    const scaled = (by: number) => ({ rows: { ...square, data: square.data.map((value) => 9 + by * value) } });
    expect(diversity(real, real)).toBe(1);
    expect(diversity(scaled(0.5), real)).toBeCloseTo(0.5, 12);
    expect(diversity(scaled(0), real)).toBe(0);
  });

  test("a generator that makes one picture per class has none, however different the classes are", () => {
    const labels = [0, 0, 1, 1];
    const made = { rows: featuresOf([[0], [0], [100], [100]]), labels };
    expect(diversity(made, { rows: featuresOf([[0], [1], [5], [9]]), labels })).toBe(0);
    expect(diversity({ rows: made.rows }, { rows: featuresOf([[0], [1], [5], [9]]) })).toBeGreaterThan(10);
  });

  test("averages the classes; one with a single real picture is left out", () => {
    const made = { rows: featuresOf([[0], [1], [0], [6], [0], [50]]), labels: [0, 0, 1, 1, 2, 2] };
    const real = { rows: featuresOf([[0], [2], [0], [4], [7]]), labels: [0, 0, 1, 1, 2] };
    expect(diversity(made, real)).toBeCloseTo((1 / 2 + 6 / 4) / 2, 12);
    expect(diversity(made, { rows: featuresOf([[1], [2]]), labels: [0, 1] })).toBeUndefined();
  });

  test("real pictures that are all the same leave nothing to fall short of", () => {
    expect(diversity(real, { rows: featuresOf([[1, 1], [1, 1]]) })).toBe(1); // biome-ignore format: one line
  });
});
