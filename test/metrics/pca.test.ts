import { describe, expect, test } from "vitest";
import { featuresOf } from "../../src/metrics/features.ts";
import { principalComponents, reconstructionError } from "../../src/metrics/pca.ts";
import { formula, gap, normalRows } from "./rows.ts";

test("by hand: points on a slope of 3 / 4", () => {
  const { mean, components, variances } = principalComponents(featuresOf([[1, 2], [5, 5], [9, 8]])); // biome-ignore format: rows
  expect(gap(mean, [5, 5])).toBeLessThan(1e-15);
  expect(gap(variances, [25, 0])).toBeLessThan(1e-13);
  expect(gap(components.subarray(0, 2).map(Math.abs), [0.8, 0.6])).toBeLessThan(1e-15);
});

describe("against numpy's eigh", () => {
  const parts = principalComponents(formula([70, 9], [7, 5, 2]));
  test("variances and the first direction", () => {
    expect(
      gap(
        parts.variances,
        [
          0.13632421793849386, 0.11466937552098092, 0.09868590828857847, 0.09173607342909273, 0.08321013633577817,
          0.07712054582612819, 0.06536777760453352, 0.05574504279685828, 0.0386955175444333,
        ],
      ),
    ).toBeLessThan(1e-15);
    expect(
      gap(
        parts.components.subarray(0, 9).map(Math.abs),
        [
          0.4596641487293742, 0.5109108961562892, 0.3010660684499316, 0.2963338460701025, 0.19077796323391755,
          0.12102628017894564, 0.0173576607497801, 0.2567786968965468, 0.4816058776082905,
        ],
      ),
    ).toBeLessThan(1e-13);
  });
  test.each([
    [0, 0.08939501199241687],
    [1, 0.0786375156481655],
    [4, 0.05023447091990622],
    [8, 0.010024126556796728],
    [9, 0],
  ])("other rows rebuilt from %i components", (count, expected) => {
    expect(reconstructionError(parts, formula([83, 9], [11, 4, 3]), count)).toBeCloseTo(expected, 14);
  });
});

test("on its own rows the floor is the variance left out", () => {
  const rows = normalRows(50, 80, 1); // fewer rows than features
  const parts = principalComponents(rows);
  for (const count of [0, 10, 49, 80]) {
    const left = parts.variances.subarray(count).reduce((sum, value) => sum + value, 0);
    expect(reconstructionError(parts, rows, count)).toBeCloseTo((left * 49) / (50 * 80), 13);
  }
  expect(Math.min(...parts.variances)).toBeGreaterThanOrEqual(0);
});
