import { describe, expect, test } from "vitest";
import {
  bleedAlpha,
  flatten,
  isOpaque,
  mergeAlpha,
  splitAlpha,
  toDepth,
  toGray,
  toRgb,
} from "../../src/image/channels.ts";
import { type Channels, crop, isSamePicture, makePicture, modcrop, shave } from "../../src/image/picture.ts";
import { pictureOf, planeOf } from "../../src/image/planes.ts";
import { flipHorizontal, flipVertical, rotate } from "../../src/image/turn.ts";
import { scrambled } from "../fixtures/pictures.ts";

const small = makePicture({ width: 3, height: 2, channels: 1 }, Uint8Array.of(1, 2, 3, 4, 5, 6));

describe("cutting", () => {
  test("crop copies a rectangle", () => {
    expect([...crop(small, { x: 1, y: 0, width: 2, height: 2 }).data]).toEqual([2, 3, 5, 6]);
    expect(() => crop(small, { x: 2, y: 0, width: 2, height: 1 })).toThrow("within 3×2");
  });
  test("modcrop and shave", () => {
    const picture = scrambled({ width: 17, height: 14 });
    expect(modcrop(picture, 4)).toMatchObject({ width: 16, height: 12 });
    expect(shave(picture, 2)).toMatchObject({ width: 13, height: 10 });
    expect(() => modcrop(small, 3)).toThrow("at least 3×3");
  });
  test("samples must fit the shape", () => {
    expect(() => makePicture({ width: 2, height: 2, channels: 3 }, new Uint8Array(11))).toThrow("12 samples");
    expect(() => makePicture({ width: 1, height: 1, channels: 1, depth: 16 }, new Uint8Array(1))).toThrow("16-bit");
    expect(() => makePicture({ width: 0, height: 1, channels: 1 })).toThrow("0×1");
  });
});

describe("turning", () => {
  test("flips", () => {
    expect([...flipHorizontal(small).data]).toEqual([3, 2, 1, 6, 5, 4]);
    expect([...flipVertical(small).data]).toEqual([4, 5, 6, 1, 2, 3]);
  });
  test("a quarter turn is clockwise", () => {
    const turned = rotate(small, 1);
    expect([turned.width, turned.height, ...turned.data]).toEqual([2, 3, 4, 1, 5, 2, 6, 3]);
    expect([...rotate(small, -1).data]).toEqual([3, 6, 2, 5, 1, 4]);
    expect([...rotate(small, 2).data]).toEqual([6, 5, 4, 3, 2, 1]);
  });
  test.each([1, 2, 3, 4] as const)("four quarters of %i channels are none", (channels: Channels) => {
    const picture = scrambled({ width: 5, height: 7 }, channels, 16);
    expect(isSamePicture(rotate(rotate(picture, 1), 3), picture)).toBe(true);
    expect(isSamePicture(rotate(picture, 1), picture)).toBe(false);
  });
});

describe("channels", () => {
  test("gray to RGB and back", () => {
    expect([...toRgb(small).data.subarray(0, 6)]).toEqual([1, 1, 1, 2, 2, 2]);
    expect(isSamePicture(toGray(toRgb(small)), small)).toBe(true);
    const red = makePicture({ width: 1, height: 1, channels: 3 }, Uint8Array.of(255, 0, 0));
    expect(toGray(red).data[0]).toBe(76);
  });
  test("alpha comes off and goes on", () => {
    for (const channels of [2, 4] as const) {
      const picture = scrambled({ width: 4, height: 3 }, channels, 16);
      const { color, alpha } = splitAlpha(picture);
      expect(color.channels).toBe(channels - 1);
      expect(isSamePicture(mergeAlpha(color, alpha), picture)).toBe(true);
    }
    expect(splitAlpha(small).alpha).toBeUndefined();
  });
  test("8 and 16 bits", () => {
    const picture = scrambled({ width: 9, height: 9 });
    expect(isSamePicture(toDepth(toDepth(picture, 16), 8), picture)).toBe(true);
    expect(toDepth(makePicture({ width: 1, height: 1, channels: 1 }, Uint8Array.of(255)), 16).data[0]).toBe(65535);
  });
  test("planes and back, rounded and clipped", () => {
    const picture = scrambled({ width: 6, height: 5 });
    expect(isSamePicture(pictureOf([0, 1, 2].map((c) => planeOf(picture, c))), picture)).toBe(true);
    expect([...pictureOf([{ width: 3, height: 1, data: Float32Array.of(-3, 1.5, 300) }]).data]).toEqual([0, 2, 255]);
  });
  test("flatten blends", () => {
    const half = makePicture({ width: 1, height: 1, channels: 4 }, Uint8Array.of(0, 100, 200, 51));
    expect([...flatten(half, [255, 255, 255]).data]).toEqual([204, 224, 244]);
  });
});

test("bleedAlpha colors what is transparent from its neighbors and nothing else", () => {
  const data = new Uint8Array(5 * 5 * 4);
  data.set([200, 100, 50, 9], (2 * 5 + 2) * 4);
  const picture = makePicture({ width: 5, height: 5, channels: 4 }, data);
  const filled = bleedAlpha(picture);
  for (let p = 0; p < 25; p++) {
    expect([...filled.data.subarray(p * 4, p * 4 + 3)]).toEqual([200, 100, 50]);
    expect(filled.data[p * 4 + 3]).toBe(p === 12 ? 9 : 0);
  }
  expect(isOpaque(filled)).toBe(false);
  const empty = makePicture({ width: 3, height: 3, channels: 4 });
  expect(isSamePicture(bleedAlpha(empty), empty)).toBe(true);
});
