import { describe, expect, test } from "vitest";
import { featuresOf } from "../../src/metrics/features.ts";
import { fid, frechetDistance } from "../../src/metrics/fid.ts";
import { createMoments, type Gaussian, gaussianOf } from "../../src/metrics/moments.ts";
import { formula, normalRows } from "./rows.ts";

const diagonal = (mean: readonly number[], variances: readonly number[]): Gaussian => ({
  count: 10,
  mean: Float64Array.from(mean),
  covariance: Float64Array.from({ length: mean.length ** 2 }, (_, at) =>
    at % (mean.length + 1) === 0 ? variances[at / (mean.length + 1)]! : 0,
  ),
});

describe("closed forms", () => {
  test("diagonal covariances: Σ (m₁ − m₂)² + (σ₁ − σ₂)²", () => {
    const [a, b] = [diagonal([1, 2, 3], [4, 9, 0]), diagonal([0, 2, 5], [1, 25, 16])];
    expect(frechetDistance(a, b)).toBeCloseTo(1 + 0 + 4 + (2 - 1) ** 2 + (3 - 5) ** 2 + (0 - 4) ** 2, 12);
    expect(frechetDistance(b, a)).toBeCloseTo(26, 12);
  });
  test("one feature: N(0, 1²) and N(3, 2²) are 9 + 1 apart", () => {
    expect(frechetDistance(diagonal([0], [1]), diagonal([3], [4]))).toBeCloseTo(10, 14);
  });
  test("2×2: Tr √S of S = [[2, 1], [1, 2]] is 1 + √3", () => {
    const turned = { count: 10, mean: new Float64Array(2), covariance: Float64Array.of(2, 1, 1, 2) };
    expect(frechetDistance(turned, diagonal([0, 0], [1, 1]))).toBeCloseTo(4 + 2 - 2 * (1 + Math.sqrt(3)), 14);
  });
  test("no spread at all: the distance of the means", () => {
    expect(frechetDistance(diagonal([0, 0], [0, 0]), diagonal([3, 4], [0, 0]))).toBe(25);
    expect(frechetDistance(diagonal([0, 0], [0, 0]), diagonal([0, 0], [2, 3]))).toBe(5);
  });
});

describe("sets of rows", () => {
  const [x, y] = [formula([70, 9], [7, 5, 2]), formula([83, 9], [11, 4, 3], [0.8, 0.1])];
  test("equals SciPy's sqrtm(S₁ S₂), and the nuclear norm of X Yᵀ by numpy's SVD", () => {
    expect(fid(x, y)).toBeCloseTo(0.0771812057727, 12);
    expect(fid(y, x)).toBeCloseTo(0.0771812057727, 12);
  });
  test("fewer rows than features: ranks 11 and 14 of 30, the nuclear norm by numpy's SVD", () => {
    const [a, b] = [formula([12, 30], [7, 5, 2]), formula([15, 30], [11, 4, 3], [0.8, 0.1])];
    expect(fid(a, b)).toBeCloseTo(2.144832333748229, 6); // SciPy's sqrtm errs by 4e-8 here, a root of rounding
  });
  test("identical sets are 0 apart, shifted ones the square of the shift, also of few rows", () => {
    for (const set of [x, normalRows(300, 40, 1), normalRows(10, 200, 2)]) {
      const moved = { ...set, data: Float64Array.from(set.data, (value) => value + 0.5) };
      expect(fid(set, set)).toBeLessThan(1e-5);
      expect(fid(set, moved)).toBeCloseTo(set.width * 0.25, 5);
    }
  });
  test("doubling every feature: the trace of the covariance", () => {
    const set = formula([70, 9], [7, 5, 2]);
    const { covariance } = gaussianOf(set);
    const centered = gaussianOf({ ...set, data: set.data.map((value) => 2 * value) });
    const trace = covariance.reduce((sum, value, at) => sum + (at % 10 === 0 ? value : 0), 0);
    const distance = frechetDistance(gaussianOf(set), { ...centered, mean: gaussianOf(set).mean });
    expect(distance).toBeCloseTo(trace, 13); // Tr (S + 4 S − 2 · 2 S)
  });
  test("a covariance that is nearly singular: variances 1 and 1e-14", () => {
    const tilt = Math.SQRT1_2;
    const [wide, thin] = [1, 1e-14];
    const near = { covariance: Float64Array.of(wide + thin, wide - thin, wide - thin, wide + thin).map((v) => v / 2) };
    const other = { covariance: Float64Array.of(wide + thin, thin - wide, thin - wide, wide + thin).map((v) => v / 2) };
    const at = (covariance: Float64Array): Gaussian => ({ count: 9, mean: Float64Array.of(tilt, 0), covariance });
    expect(frechetDistance(at(near.covariance), at(near.covariance))).toBeLessThan(1e-7);
    expect(frechetDistance(at(near.covariance), at(other.covariance))).toBeCloseTo(2 - 4 * 1e-7, 7);
  });
  test("from moments collected batch by batch", () => {
    const moments = createMoments(9);
    for (const at of [0, 30]) moments.add({ data: x.data.subarray(at * 9, (at === 0 ? 30 : 70) * 9), width: 9 });
    expect(frechetDistance(moments.gaussian(), gaussianOf(y))).toBeCloseTo(0.0771812057727, 12);
  });
  test("Gaussians of different width are refused", () => {
    expect(() => frechetDistance(gaussianOf(x), gaussianOf(featuresOf([[1], [2]])))).toThrow(
      "fid: expected Gaussians of one width, got 9 and 1.",
    );
  });
  test("so are Gaussians that are none", () => {
    const plain = diagonal([0, 0], [1, 1]);
    expect(() => frechetDistance(plain, diagonal([0, 0], [1, Number.NaN]))).toThrow(
      "fid: expected a finite mean and covariance, got NaN.",
    );
    expect(() => frechetDistance({ ...plain, covariance: new Float64Array(3) }, plain)).toThrow(
      "fid: expected a covariance of 2² numbers, got 3.",
    );
  });
});
