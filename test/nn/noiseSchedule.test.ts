import { describe, expect, test } from "vitest";
import { input } from "../../src/engine/index.ts";
import { evaluate } from "../../src/engine/runtime/evaluate.ts";
import { alphaBarAt, alphaBarOf } from "../../src/nn/noiseSchedule.ts";

/** The largest relative difference from ∏ (1 − β) of β from 1e-4 to 0.02 in a thousand steps, each cut into `parts`. */
function differenceFrom(parts: number): number {
  const total = 1000 * parts;
  let [product, most] = [1, 0];
  for (let t = 1; t <= total; t++) {
    product *= 1 - (1e-4 + ((0.02 - 1e-4) * (t - 1)) / (total - 1)) / parts;
    if (product > 0.01) most = Math.max(most, Math.abs(alphaBarAt(t / total) / product - 1));
  }
  return most;
}

describe("ᾱ in continuous time", () => {
  test("is near that of the thousand steps of Ho et al., nearer the finer they are", () => {
    expect(differenceFrom(1)).toBeLessThan(0.02); // a step forgets β² / 2 more than e^−β
    expect(differenceFrom(10)).toBeLessThan(0.002);
    expect(differenceFrom(100)).toBeLessThan(0.0002);
  });

  test("falls from 1 to almost 0", () => {
    expect(alphaBarAt(0)).toBe(1);
    expect(alphaBarAt(1)).toBeCloseTo(Math.exp(-10.05), 15);
    for (let t = 1; t <= 100; t++) expect(alphaBarAt(t / 100)).toBeLessThan(alphaBarAt((t - 1) / 100));
  });

  test("is the same as nodes", () => {
    const times = Float64Array.from({ length: 101 }, (_, at) => at / 100);
    const time = input("time", [101]);
    const [made] = evaluate([alphaBarOf(time)], new Map([[time, { shape: [101], data: times }]]));
    for (const [at, value] of Array.from(made!.data).entries())
      expect(Math.abs(value / alphaBarAt(at / 100) - 1)).toBeLessThan(1e-12);
  });
});
