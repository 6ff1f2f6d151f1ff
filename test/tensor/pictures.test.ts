import { describe, expect, test } from "vitest";
import { compileFunction, input, type Node } from "../../src/engine/index.ts";
import { referenceRuntime } from "../../src/engine/runtime/reference.ts";
import { makePicture } from "../../src/image/picture.ts";
import { ranges as nodes } from "../../src/nn/range.ts";
import { toPictures, toTensor } from "../../src/tensor/pictures.ts";
import { type RangeName, rangeNames, ranges } from "../../src/tensor/range.ts";
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
      expect(batch.data).toEqual(Float32Array.from({ length: 2 * side * side }, (_, i) => (i % (side * side)) / peak));
      for (const range of ["unit", "symmetric", "bytes"] as const)
        expect(toPictures(toTensor([all], range), range, depth)).toEqual([all]);
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

test.each(rangeNames)("range %s as nodes says the same as in numbers, both ways", async (range) => {
  const values = Float64Array.from({ length: 12 }, (_, i) => i / 11);
  const x = input("x", [1, 3, 2, 2]);
  const run = async (make: (x: Node) => Node) => {
    const executable = await compileFunction({ y: make(x) }, { runtime: referenceRuntime(), weights: {} });
    return (await executable.run({ x: tensor(Float32Array.from(values), [1, 3, 2, 2]) })).y!.data;
  };
  const [there, back] = [await run(nodes[range].of), await run(nodes[range].back)];
  values.forEach((value, i) => {
    const plane = Math.floor(i / 4);
    expect(Number(there[i])).toBeCloseTo(ranges[range].of(value, plane), 4);
    expect(Number(back[i])).toBeCloseTo(ranges[range].back(value, plane), 6);
  });
});
