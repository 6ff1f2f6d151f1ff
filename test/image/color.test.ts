import { expect, test } from "vitest";
import { fromLab, fromYcbcr, luma, rgbToLab, rgbToYcbcr, toLab, toYcbcr, ycbcrPicture } from "../../src/image/color.ts";
import { makePicture } from "../../src/image/picture.ts";
import { difference, scrambled } from "../fixtures/pictures.ts";
import { readStored } from "../fixtures/safetensors.ts";

const golden = readStored(new URL("../fixtures/golden/color.safetensors", import.meta.url));
const colors = makePicture({ width: 67, height: 1, channels: 3 }, golden.rgb!.data as Uint8Array);
const interleave = (planes: readonly { readonly data: ArrayLike<number> }[]) =>
  Array.from({ length: 67 * 3 }, (_, i) => planes[i % 3]!.data[Math.floor(i / 3)]!);

test("YCbCr in studio range equals MATLAB's rgb2ycbcr in double", () => {
  expect(difference(interleave(toYcbcr(colors)), golden.ycbcr_bt601_studio!.data).most).toBeLessThan(1e-10);
});

test("the rounded form is the double form rounded", () => {
  const rounded = Array.from(golden.ycbcr_bt601_studio!.data, Math.round);
  expect([...ycbcrPicture(colors).data]).toEqual(rounded);
});

test("Lab under D65 equals scikit-image's", () => {
  expect(difference(interleave(toLab(colors)), golden.lab_d65!.data).most).toBeLessThan(1e-9);
});

test("full-range luma equals OpenCV's", () => {
  const [y] = toYcbcr(colors, "full");
  const theirs = golden.ycrcb_opencv_full!.data.filter((_, i) => i % 3 === 0);
  expect(
    difference(
      Array.from(y!.data, (value) => Math.round(value)),
      theirs,
    ).most,
  ).toBeLessThanOrEqual(1);
  expect(
    difference(
      Array.from(y!.data, (value) => Math.round(value)),
      theirs,
    ).count,
  ).toBeLessThanOrEqual(2);
});

test("there and back gives the same bytes", () => {
  const picture = scrambled({ width: 31, height: 17 });
  for (const back of [
    fromYcbcr(toYcbcr(picture)),
    fromYcbcr(toYcbcr(picture, "full"), "full"),
    fromLab(toLab(picture)),
  ])
    expect(difference(back.data, picture.data).count).toBe(0);
});

test("white, black and 16 bits", () => {
  expect(rgbToYcbcr(1, 1, 1)[0]).toBeCloseTo(235, 10);
  expect(rgbToYcbcr(0, 0, 0)).toEqual([16, 128, 128]);
  expect(rgbToLab(1, 1, 1)[0]).toBeCloseTo(100, 4);
  const gray = makePicture({ width: 1, height: 1, channels: 1, depth: 16 }, Uint16Array.of(65535));
  expect(luma(gray).data[0]).toBeCloseTo(235, 10);
});
