import { describe, expect, test } from "vitest";
import { makePicture, type Picture } from "../../src/image/picture.ts";
import { psnr } from "../../src/metrics/psnr.ts";
import { scrambled } from "../fixtures/pictures.ts";
import { flat } from "./flat.ts";

const shifted = (picture: Picture, by: number): Picture => ({ ...picture, data: picture.data.map((v) => v + by) });

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
