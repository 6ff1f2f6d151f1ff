import { expect, test } from "vitest";
import { featuresOf } from "../../src/metrics/features.ts";
import { createMoments, gaussianOf } from "../../src/metrics/moments.ts";
import { formula, gap, listed, normalRows } from "./rows.ts";

test("by hand", () => {
  const { count, mean, covariance } = gaussianOf(featuresOf([[1, 2], [3, 2], [5, 8]])); // biome-ignore format: rows
  expect(count).toBe(3);
  expect(gap(mean, [3, 4])).toBeLessThan(1e-15);
  expect(gap(covariance, [4, 6, 6, 12])).toBeLessThan(1e-14);
});

test("equals np.cov", () => {
  const { covariance } = gaussianOf(formula([70, 9], [7, 5, 2]));
  expect(covariance[0]).toBeCloseTo(0.09795053178523683, 15);
  expect(covariance[3 * 9 + 7]).toBeCloseTo(-0.0192729044751225, 15);
  expect(covariance[7 * 9 + 3]).toBe(covariance[3 * 9 + 7]);
  expect(covariance[8 * 9 + 2]).toBeCloseTo(0.01709591658999858, 15);
});

test("batches of any size give what the whole gives, and what the definition gives", () => {
  const whole = normalRows(700, 67, 3);
  const rows = listed(whole);
  const moments = createMoments(67);
  for (const [from, to] of [[0, 1], [1, 2], [2, 131], [131, 131 + 256], [387, 700]] as const) // biome-ignore format: ranges
    moments.add({ data: whole.data.subarray(from * 67, to * 67), width: 67 });
  const { count, mean, covariance } = moments.gaussian();
  expect(count).toBe(700);
  const direct = gaussianOf(whole);
  expect(gap(mean, direct.mean)).toBeLessThan(1e-15);
  expect(gap(covariance, direct.covariance)).toBeLessThan(1e-14);
  const means = mean.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / 700);
  const [i, j] = [66, 5];
  const expected = rows.reduce((sum, row) => sum + (row[i]! - means[i]!) * (row[j]! - means[j]!), 0) / 699;
  expect(covariance[i * 67 + j]).toBeCloseTo(expected, 14);
});

test("features far from zero keep their digits", () => {
  const near = formula([500, 5], [7, 5, 2]);
  const far = { ...near, data: near.data.map((value) => value + 2 ** 26) };
  expect(gap(gaussianOf(far).covariance, gaussianOf(near).covariance)).toBeLessThan(1e-8);
});

test("a refused batch leaves nothing behind", () => {
  const moments = createMoments(1);
  moments.add(featuresOf([[1], [3]]));
  expect(() => moments.add(featuresOf([[1], [Number.NaN]]))).toThrow("NaN in row 1");
  expect(moments.gaussian()).toEqual({ count: 2, mean: Float64Array.of(2), covariance: Float64Array.of(2) });
});
