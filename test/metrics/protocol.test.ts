import { describe, expect, test } from "vitest";
import { makePicture } from "../../src/image/picture.ts";
import { score } from "../../src/metrics/protocol.ts";
import { flat } from "./flat.ts";

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
