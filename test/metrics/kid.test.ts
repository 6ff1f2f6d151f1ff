import { describe, expect, test } from "vitest";
import { featuresOf } from "../../src/metrics/features.ts";
import { kid } from "../../src/metrics/kid.ts";
import { formula, normalRows } from "./rows.ts";

const [x, y] = [formula([70, 9], [7, 5, 2]), formula([83, 9], [11, 4, 3], [0.8, 0.1])];

describe("both sets whole", () => {
  test("by hand: {0, 2} and {1, 1}: 2·1/2 + 2·8/2 − 2·(1 + 1 + 27 + 27)/4", () => {
    expect(kid(featuresOf([[0], [2]]), featuresOf([[1], [1]]), { seed: 1 })).toEqual({
      mean: 1 + 8 - 28,
      deviation: 0,
    });
  });
  test("equals numpy with sets of different size; the order of rows and sets does not matter", () => {
    const found = kid(x, y, { seed: 1 });
    expect(found.mean).toBeCloseTo(-0.0018739808108239053, 13);
    expect(found.deviation).toBe(0);
    expect(kid(y, x, { seed: 2, subsets: 7 }).mean).toBeCloseTo(found.mean, 13);
  });
  test("size is the border between whole and drawn", () => {
    expect(kid(x, y, { seed: 1, subsets: 3, size: 83 }).deviation).toBe(0);
    expect(kid(x, y, { seed: 1, subsets: 3, size: 82 }).deviation).toBeGreaterThan(0);
  });
});

describe("subsets", () => {
  test("the seed decides", () => {
    const once = kid(x, y, { seed: 5, subsets: 4, size: 20 });
    expect(kid(x, y, { seed: 5, subsets: 4, size: 20 })).toEqual(once);
    expect(kid(x, y, { seed: 6, subsets: 4, size: 20 })).not.toEqual(once);
  });
  test("their mean tends to the value of the whole: every subset is unbiased", () => {
    const { mean, deviation } = kid(x, y, { seed: 5, subsets: 2000, size: 20 });
    expect(Math.abs(mean + 0.0018739808108239053)).toBeLessThan((4 * deviation) / Math.sqrt(2000));
  });
  test("one distribution gives about 0, a shift of 1/2 in 8 features what the moments give", () => {
    const [a, b] = [normalRows(3000, 8, 1), normalRows(3000, 8, 2)];
    const same = kid(a, b, { seed: 1, subsets: 20, size: 500 });
    expect(Math.abs(same.mean)).toBeLessThan(3 * same.deviation);
    const moved = { ...b, data: b.data.map((value) => value + 0.5) };
    // E (t + 1)³ with t = x·y / 8 and |m|² = 2: both at 0, E t² = 8 / 64; one at m, (8 + 2) / 64; odd powers vanish.
    // Both at m: E t = 2 / 8, E t² = (8 + 2·2 + 2²) / 64, E t³ below.
    const expected = 1 + 3 / 8 + (1 + 3 / 4 + (3 * 16) / 64 + meanCube()) - 2 * (1 + (3 * 10) / 64);
    const found = kid(a, moved, { seed: 1, subsets: 20, size: 500 });
    expect(Math.abs(found.mean - expected)).toBeLessThan(4 * found.deviation);
  });
});

/** E (x·y / 8)³ for x, y ~ N(m, I) in 8 dimensions, |m|² = 2: first over y, then over x. */
function meanCube(): number {
  const [d, s] = [8, 2];
  // Given x, x·y ~ N(x·m, |x|²): E (x·y)³ = (x·m)³ + 3 (x·m) |x|². x·m ~ N(s, s); x = m + z.
  const third = s ** 3 + 3 * s * s; // E (x·m)³
  const mixed = s * (s + d) + 2 * s; // E (x·m)|x|² = E (s + z·m)(s + 2 z·m + |z|²)
  return (third + 3 * mixed) / d ** 3;
}
