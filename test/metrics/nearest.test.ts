import { expect, test } from "vitest";
import { featuresOf } from "../../src/metrics/features.ts";
import { nearest } from "../../src/metrics/nearest.ts";
import { distanceOf, gap, listed, normalRows } from "./rows.ts";

test("by hand; the first of equals", () => {
  const set = featuresOf([[0, 0], [3, 4], [10, 0], [3, 4]]); // biome-ignore format: rows
  const { index, distance } = nearest(featuresOf([[3, 4], [0, 1], [7, 0]]), set); // biome-ignore format: rows
  expect([...index]).toEqual([1, 0, 2]);
  expect([...distance]).toEqual([0, 1, 3]);
});

test("equals the naive twin over several tiles", () => {
  const [queries, set] = [normalRows(70, 6, 1), normalRows(201, 6, 2)];
  const { index, distance } = nearest(queries, set);
  const all = listed(queries).map((q) => listed(set).map((x) => distanceOf(q, x)));
  expect([...index]).toEqual(all.map((row) => row.indexOf(Math.min(...row))));
  expect(
    gap(
      distance,
      all.map((row) => Math.min(...row)),
    ),
  ).toBeLessThan(1e-14);
});

test("a copy is found at exactly 0, wherever it stands and however long it is", () => {
  const set = normalRows(150, 333, 3);
  const { index, distance } = nearest(set, set);
  expect([...index]).toEqual([...index.keys()]);
  expect(Math.max(...distance)).toBe(0);
});
