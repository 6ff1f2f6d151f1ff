import { describe, expect, test } from "vitest";
import { type Features, featuresOf } from "../../src/metrics/features.ts";
import { precisionRecall } from "../../src/metrics/precisionRecall.ts";
import { distanceOf, formula, listed, normalRows } from "./rows.ts";

/** Straight from the definition, every distance by itself. */
function naive(real: Features, fake: Features, k: number) {
  const share = (set: number[][], queries: number[][]): number => {
    const radii = set.map((x) => set.map((y) => distanceOf(x, y)).sort((a, b) => a - b)[k]!); // the first is its own 0
    return queries.filter((q) => set.some((x, i) => distanceOf(x, q) <= radii[i]!)).length / queries.length;
  };
  return { precision: share(listed(real), listed(fake)), recall: share(listed(fake), listed(real)) };
}

describe("by hand, on a line", () => {
  const real = featuresOf([[0], [1], [3], [10]]);
  test("k = 1: radii 1, 1, 2, 7 of the real rows and 1, 1, 93 of the fake ones", () => {
    const fake = featuresOf([[6], [7], [100]]);
    // 6 and 7 lie within 7 of 10, 100 within none; of the real rows none within 1 of 6 or 7, 10 within 93 of 100.
    expect(precisionRecall(real, fake, { k: 1 })).toEqual({ precision: 2 / 3, recall: 1 / 4 });
  });
  test("the border counts, and the row itself is no neighbor of its own", () => {
    expect(precisionRecall(featuresOf([[0], [2]]), featuresOf([[4], [5]]), { k: 1 })).toEqual({
      precision: 0.5,
      recall: 0,
    });
  });
});

describe("sets", () => {
  const [x, y] = [formula([70, 9], [7, 5, 2]), formula([83, 9], [11, 4, 3], [0.8, 0.1])];
  test.each([
    [1, 81 / 83, 19 / 70],
    [3, 1, 44 / 70],
    [5, 1, 54 / 70],
  ])("k = %i equals numpy", (k, precision, recall) => {
    expect(precisionRecall(x, y, { k })).toEqual({ precision, recall });
    expect(precisionRecall(y, x, { k })).toEqual({ precision: recall, recall: precision });
  });
  test("equals the naive twin over several tiles; k is 3 unless told", () => {
    const [a, b] = [normalRows(203, 5, 1), normalRows(150, 5, 2)];
    expect(precisionRecall(a, b)).toEqual(naive(a, b, 3));
    expect(precisionRecall(a, b, { k: 7 })).toEqual(naive(a, b, 7));
  });
  test("a set against itself is 1 and 1, also where rows repeat; sets far apart are 0 and 0", () => {
    const copies = { data: Float32Array.from({ length: 500 }, (_, at) => Math.sin(at % 50)), width: 5 };
    for (const set of [x, normalRows(100, 7, 1), copies]) {
      expect(precisionRecall(set, set)).toEqual({ precision: 1, recall: 1 });
      const far = { ...set, data: set.data.map((value) => value + 1000) };
      expect(precisionRecall(set, far)).toEqual({ precision: 0, recall: 0 });
    }
  });
  test("one mode of two: all precise, half recalled", () => {
    const one = normalRows(200, 3, 1);
    const other = { ...one, data: one.data.map((value) => value + 100) };
    const both = { data: Float32Array.of(...one.data, ...other.data), width: 3 };
    expect(precisionRecall(both, one)).toEqual({ precision: 1, recall: 0.5 });
  });
});
