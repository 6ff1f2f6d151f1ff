import { describe, expect, test } from "vitest";
import { isSamePicture, makePicture } from "../../src/image/picture.ts";
import { toPictures, toTensor } from "../../src/tensor/pictures.ts";
import { type RangeName, rangeNames } from "../../src/tensor/range.ts";
import { tensor } from "../../src/tensor/tensor.ts";

const rgb = makePicture({ width: 2, height: 1, channels: 3 }, Uint8Array.of(0, 51, 255, 255, 102, 0));

describe("pictures as tensors", () => {
  /** From the ranges' definitions; ImageNet's by torchvision's Normalize(mean, std) on ToTensor. */
  const EXPECTED: Readonly<Record<RangeName, readonly number[]>> = {
    unit: [0, 1, 0.2, 0.4, 1, 0],
    symmetric: [-1, 1, -0.6, -0.2, 1, -1],
    bytes: [0, 255, 51, 102, 255, 0],
    imagenet: [-2.117904, 2.2489083, -1.1428571, -0.25, 2.64, -1.8044444],
  };

  test.each(rangeNames)("planes one after the other, range %s, and back", (range) => {
    const batch = toTensor([rgb], range);
    expect(batch.shape).toEqual([1, 3, 1, 2]);
    EXPECTED[range].forEach((value, i) => {
      expect(batch.data[i]).toBeCloseTo(value, 6);
    });
    expect(toPictures(batch, range)).toEqual([rgb]);
  });

  test.each([8, 16] as const)(
    "every sample of %i bits comes back, and 0…1 is its share of the largest, in float32",
    (depth) => {
      const peak = depth === 8 ? 255 : 65535;
      const side = depth === 8 ? 16 : 256;
      const data = (depth === 8 ? Uint8Array : Uint16Array).from(Array(side * side).keys());
      const all = makePicture({ width: side, height: side, channels: 1, depth }, data);
      const batch = toTensor([all, all]);
      expect(batch.shape).toEqual([2, 1, side, side]);
      const isShare = [...batch.data].every((value, i) => value === Math.fround((i % (side * side)) / peak));
      expect(isShare).toBe(true);
      for (const range of ["unit", "symmetric", "bytes"] as const)
        expect(isSamePicture(toPictures(toTensor([all], range), range, depth)[0]!, all)).toBe(true);
    },
  );

  test("what lies outside is clipped, what lies between is rounded", () => {
    const batch = tensor(Float32Array.of(-3, 1.7, 0.499 / 255, 0.501 / 255), [1, 1, 2, 2]);
    expect([...toPictures(batch)[0]!.data]).toEqual([0, 255, 0, 1]);
  });

  test("no pictures, or pictures of several sizes, are refused", () => {
    expect(() => toTensor([])).toThrow("pictures: expected at least one, got none");
    const gray = makePicture({ width: 2, height: 1, channels: 1 });
    expect(() => toTensor([rgb, gray])).toThrow("pictures: expected all of one size, got 2×1×3 and 2×1×1");
  });
});
