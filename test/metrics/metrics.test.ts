import { describe, expect, test } from "vitest";
import { luma } from "../../src/image/color.ts";
import { makePicture, type Picture } from "../../src/image/picture.ts";
import type { Plane } from "../../src/image/planes.ts";
import { score } from "../../src/metrics/protocol.ts";
import { psnr } from "../../src/metrics/psnr.ts";
import { planeSsim, ssim } from "../../src/metrics/ssim.ts";
import { scrambled } from "../fixtures/pictures.ts";

const shifted = (picture: Picture, by: number): Picture => ({ ...picture, data: picture.data.map((v) => v + by) });
const flat = (value: number, side = 16) =>
  makePicture({ width: side, height: side, channels: 3 }, new Uint8Array(side * side * 3).fill(value));

describe("psnr", () => {
  test("off by one of 255 is 48.13 dB", () => {
    expect(psnr(flat(100), flat(101))).toBeCloseTo(48.1308036, 6);
    const deep = scrambled({ width: 4, height: 4 }, 1, 16);
    deep.data.fill(7);
    expect(psnr(deep, shifted(deep, 1))).toBeCloseTo(96.3294661, 6);
  });
  test("identical pictures give Infinity, the extremes 0 dB", () => {
    expect(psnr(flat(9), flat(9))).toBe(Infinity);
    expect(psnr(flat(0), flat(255))).toBe(0);
  });
  test("alpha is ignored, sizes must agree", () => {
    const clear = makePicture(
      { width: 16, height: 16, channels: 4 },
      new Uint8Array(1024).map((_, i) => (i % 4 === 3 ? 3 : 100)),
    );
    expect(psnr(clear, flat(101))).toBeCloseTo(48.1308, 3);
    expect(() => psnr(flat(1), flat(1, 17))).toThrow("16×16, RGB, 8 bits and 17×17");
  });
});

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

describe("score", () => {
  test("looks at luma in studio range: black and white lie 219 apart", () => {
    expect(score(flat(255), flat(0), { color: "y", shave: 2 }).psnr).toBeCloseTo(20 * Math.log10(255 / 219), 9);
  });
  test("rounds luma to 8 bits: 100 and 101 are 102 and 103", () => {
    expect(score(flat(101), flat(100), { color: "y", shave: 2 }).psnr).toBeCloseTo(48.1308036, 6);
    expect(score(flat(101), flat(100), { color: "rgb", shave: 2 }).psnr).toBeCloseTo(48.1308036, 6);
  });
  test("leaves the rim out", () => {
    const spoiled = flat(100);
    spoiled.data.fill(0, 0, 16 * 3 * 2);
    expect(score(spoiled, flat(100), { color: "y", shave: 2 }).psnr).toBe(Infinity);
    expect(score(spoiled, flat(100), { color: "y", shave: 1 }).psnr).toBeLessThan(30);
  });
  test("16 bits are rounded to 8 first", () => {
    const deep = makePicture(
      { width: 16, height: 16, channels: 3, depth: 16 },
      new Uint16Array(768).fill(100 * 257 + 100),
    );
    const even = makePicture({ width: 16, height: 16, channels: 3, depth: 16 }, new Uint16Array(768).fill(100 * 257));
    expect(score(deep, even, { color: "rgb", shave: 0 }).psnr).toBe(Infinity);
  });
  test("a rim that leaves nothing is refused", () => {
    expect(() => score(flat(1), flat(1), { color: "y", shave: 8 })).toThrow("shave");
  });
});
