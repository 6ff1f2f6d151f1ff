import { describe, expect, test } from "vitest";
import { luma } from "../../src/image/color.ts";
import { makePicture } from "../../src/image/picture.ts";
import type { Plane } from "../../src/image/planes.ts";
import { planeSsim, ssim } from "../../src/metrics/ssim.ts";
import { scrambled } from "../fixtures/pictures.ts";
import { flat } from "./flat.ts";

/** SSIM with the 121 weights of the window summed one by one, from the definition with centered moments. */
const naiveSsim = (a: Plane, b: Plane, peak: number): number => {
  const at = (p: Plane, x: number, y: number) => p.data[y * p.width + x]!;
  let [total, count] = [0, 0];
  for (let cy = 5; cy < a.height - 5; cy++)
    for (let cx = 5; cx < a.width - 5; cx++) {
      const window: { w: number; u: number; v: number }[] = [];
      for (let dy = -5; dy <= 5; dy++)
        for (let dx = -5; dx <= 5; dx++)
          window.push({
            w: Math.exp(-(dx * dx + dy * dy) / 4.5),
            u: at(a, cx + dx, cy + dy),
            v: at(b, cx + dx, cy + dy),
          });
      const weight = window.reduce((s, { w }) => s + w, 0);
      const mean = (f: (p: { u: number; v: number }) => number) => window.reduce((s, p) => s + p.w * f(p), 0) / weight;
      const [mu, mv] = [mean(({ u }) => u), mean(({ v }) => v)];
      const [su, sv] = [mean(({ u }) => (u - mu) ** 2), mean(({ v }) => (v - mv) ** 2)];
      const cov = mean(({ u, v }) => (u - mu) * (v - mv));
      const [c1, c2] = [(0.01 * peak) ** 2, (0.03 * peak) ** 2];
      total += ((2 * mu * mv + c1) * (2 * cov + c2)) / ((mu * mu + mv * mv + c1) * (su + sv + c2));
      count++;
    }
  return total / count;
};

describe("ssim", () => {
  const a = luma(scrambled({ width: 23, height: 19 }));
  const b = { ...a, data: a.data.map((v, i) => v * 0.7 + 20 + (i % 5)) };

  test("equals a naive twin", () => {
    expect(planeSsim(a, b, 255)).toBeCloseTo(naiveSsim(a, b, 255), 10);
    expect(planeSsim(a, a, 255)).toBeCloseTo(1, 12);
  });
  test("two flat pictures compare by brightness alone", () => {
    const c1 = (0.01 * 255) ** 2;
    expect(ssim(flat(100), flat(150))).toBeCloseTo((2 * 100 * 150 + c1) / (100 ** 2 + 150 ** 2 + c1), 12);
  });
  test("RGB is the mean of the three colors", () => {
    const picture = flat(100);
    const red = makePicture(
      picture,
      picture.data.map((v, i) => (i % 3 === 0 ? 150 : v)),
    );
    expect(ssim(picture, red)).toBeCloseTo((ssim(flat(100), flat(150)) + 2) / 3, 12);
  });
  test("pictures under 11 pixels are refused", () => {
    expect(() => ssim(flat(1, 10), flat(1, 10))).toThrow("at least 11×11");
  });
});
