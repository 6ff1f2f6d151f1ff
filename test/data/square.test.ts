import { describe, expect, test } from "vitest";
import { makeStore } from "../../src/data/exampleStore.ts";
import { partOf } from "../../src/data/heldOut.ts";
import { squarePicture } from "../../src/data/square.ts";
import { makePicture } from "../../src/image/picture.ts";
import { plain } from "./dataSupport.ts";

describe("a picture brought to a set's form", () => {
  test.each([
    ["red is 76 in gray", plain(4, 4, 255, 0, 0), 1, [76]],
    ["green is 150 in gray", plain(4, 4, 0, 255, 0), 1, [150]],
    ["gray is repeated", plain(4, 4, 7), 3, [7, 7, 7]],
    ["what is transparent becomes white", plain(4, 4, 10, 20, 30, 0), 3, [255, 255, 255]],
    ["half of white lightens", plain(4, 4, 0, 0, 0, 51), 3, [204, 204, 204]],
    ["plain color stays when resized", plain(9, 9, 10, 20, 30), 3, [10, 20, 30]],
    ["16 bits become 8", makePicture({ width: 1, height: 1, channels: 1, depth: 16 }, Uint16Array.of(65535)), 1, [255]],
  ] as const)("%s", (_, picture, channels, color) => {
    const { width, height, data } = squarePicture(picture, { size: 4, channels });
    expect([width, height]).toEqual([4, 4]);
    expect([...data]).toEqual(Array(16).fill(color).flat());
  });

  test("the middle square is taken, lying and standing", () => {
    const row = [0, 1, 2, 3, 4, 5, 6];
    const lying = makePicture({ width: 7, height: 2, channels: 1 }, Uint8Array.from([...row, ...row]));
    expect([...squarePicture(lying, { size: 2, channels: 1 }).data]).toEqual([2, 3, 2, 3]);
    const standing = makePicture({ width: 2, height: 7, channels: 1 }, Uint8Array.from(row.flatMap((v) => [v, v])));
    expect([...squarePicture(standing, { size: 2, channels: 1 }).data]).toEqual([2, 2, 3, 3]);
  });

  test("28 becomes 32 by its border, 2 pixels on each side, not blurred", () => {
    const digit = makePicture(
      { width: 28, height: 28, channels: 1 },
      Uint8Array.from({ length: 784 }, (_, i) => i % 251),
    );
    const { data } = squarePicture(digit, { size: 32, channels: 1 });
    const at = (x: number, y: number) => data[y * 32 + x];
    for (const [x, y] of [
      [2, 2],
      [15, 20],
      [29, 29],
    ] as const)
      expect(at(x, y)).toBe(((y - 2) * 28 + x - 2) % 251);
    expect([at(0, 0), at(1, 2), at(2, 0)]).toEqual([0, 0, 0]);
    expect([at(31, 31), at(30, 5)]).toEqual([783 % 251, (3 * 28 + 27) % 251]);
  });

  test("a ramp shrunk by two has the values between its pixels", () => {
    const ramp = makePicture(
      { width: 64, height: 64, channels: 1 },
      Uint8Array.from({ length: 4096 }, (_, i) => 2 * (i % 64)),
    );
    const { data } = squarePicture(ramp, { size: 32, channels: 1 });
    for (let x = 3; x < 29; x++) expect(data[10 * 32 + x]).toBe(2 * (2 * x + 0.5));
  });
});

describe("the part of a set without one", () => {
  test("is the last tenth of every class; the rest is for training", () => {
    const labels = Array.from({ length: 45 }, (_, i) => (i % 3 === 0 ? 1 : 0)); // 15 of 1, 30 of 0
    const [train, held] = [partOf(labels, "train", "a"), partOf(labels, "test", "a")];
    expect(held).toEqual([41, 42, 43, 44]); // 41, 43 and 44 of 0; 42 of 1;
    expect([...train, ...held].sort((a, b) => a - b)).toEqual(labels.map((_, i) => i));
  });

  test("is refused where a tenth is none", () => {
    expect(() => partOf(Array(9).fill(0), "test", "photos")).toThrow(
      /^photos: expected 10 pictures of a class or more, .* got 9 in all\. Give more pictures/,
    );
    expect(partOf(Array(9).fill(0), "train", "photos")).toHaveLength(9);
  });
});

test("more than 4 GiB are refused before they are asked for", () => {
  expect(() => makeStore("photos", 100_000, { size: 128, channels: 3 })).toThrow(
    "photos: expected at most 4 GiB of pictures, got 100000 of 128×128×3 = 4.6 GiB. Ask for a smaller size",
  );
});
