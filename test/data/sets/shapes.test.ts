import { beforeAll, describe, expect, test } from "vitest";
import type { Examples } from "../../../src/data/exampleSource.ts";
import { forms } from "../../../src/data/sets/outlines.ts";
import { captionOf, drawScene, openShapes, type Scene, sceneOf } from "../../../src/data/sets/shapes.ts";
import { floats } from "../../../src/tensor/tensor.ts";

const scene = (form: string, angle: number): Scene => ({
  form: forms.find(({ name }) => name === form)!,
  color: [1, 1, 1],
  background: [
    [0, 0, 0],
    [0, 0, 0],
  ],
  fading: 0,
  center: [0.52, 0.47],
  radius: 0.35,
  angle,
  names: ["white", "black"],
});

const drawn = (what: Scene, size: number, channels: 1 | 3): Float32Array => {
  const out = new Float32Array(channels * size * size);
  drawScene(what, { size, channels }, out);
  return out;
};

/** What two circles of radius 1 and r have in common, their centers d apart. */
const lens = (r: number, d: number): number =>
  Math.acos((d * d + 1 - r * r) / (2 * d)) +
  r * r * Math.acos((d * d + r * r - 1) / (2 * d * r)) -
  Math.sqrt((-d + r + 1) * (d + r - 1) * (d - r + 1) * (d + r + 1)) / 2;

/** Areas by elementary geometry, for a shape that reaches 1 from its center. */
const areas: Readonly<Record<string, number>> = {
  circle: Math.PI,
  square: 2,
  triangle: (3 * Math.sqrt(3)) / 4,
  star: 5 * 0.4 * Math.sin(Math.PI / 5),
  ring: Math.PI * (1 - 0.5 ** 2),
  cross: 2 * 1.92 * 0.56 - 0.56 ** 2,
  crescent: Math.PI - lens(0.8, 0.45),
  arrow: 1.5 / 2 + 0.56 * 0.96,
};

describe("a drawn shape", () => {
  test("every form has an area to check", () => expect(forms.map(({ name }) => name)).toEqual(Object.keys(areas)));

  test.each(Object.entries(areas))("%s: its pixels add up to its area, at any angle", (form, area) => {
    for (const angle of [0, 0.3, 1, 2.5]) {
      const sum = drawn(scene(form, angle), 128, 1).reduce((total, value) => total + value, 0);
      expect(sum / (0.35 * 128) ** 2 / area).toBeCloseTo(1, 2);
    }
  });

  test("turns clockwise: an arrow that points up points right after a quarter turn", () => {
    const [up, right] = [drawn(scene("arrow", 0), 100, 1), drawn(scene("arrow", Math.PI / 2), 100, 1)];
    const head = (pixels: Float32Array, x: number, y: number) => pixels[y * 100 + x]!;
    expect([head(up, 52, 47 - 33), head(right, 52 + 33, 47)]).toEqual([1, 1]);
    expect([head(up, 52 + 20, 47 - 3), head(right, 52 + 3, 47 + 20)]).toEqual([1, 1]);
  });

  test("only the rim is mixed", () => {
    const mixed = drawn(scene("circle", 0), 64, 1).filter((value) => value > 0 && value < 1).length;
    expect(mixed).toBeGreaterThan(2 * Math.PI * 0.35 * 64 * 0.8);
    expect(mixed).toBeLessThan(2 * Math.PI * 0.35 * 64 * 1.5);
  });

  test("a background fades evenly from one color to the other", () => {
    const fading = {
      ...scene("circle", 0),
      background: [
        [0, 0, 0],
        [0.8, 0.4, 0.2],
      ],
      radius: 0.01,
    } as Scene;
    const red = drawn(fading, 64, 3);
    expect(red[0]).toBeCloseTo(0.8 * (0.5 - (0.5 - 0.5 / 64) / Math.SQRT2), 5);
    expect(red[63]).toBeCloseTo(0.8 * (0.5 + (0.5 - 0.5 / 64) / Math.SQRT2), 5);
    expect(red[64 * 64 + 10]! * 2).toBeCloseTo(red[10]!, 5);
  });
});

describe("the drawn set", () => {
  let train: Examples;
  let held: Examples;
  beforeAll(async () => {
    train = await openShapes({ size: 32, channels: 3, part: "train" });
    held = await openShapes({ size: 32, channels: 3, part: "test" });
  });
  const image = (set: Examples, ...numbers: number[]) => floats(set.take(numbers).image!);

  test("has 10,000 and 2,000 examples of eight classes, equally many of each", () => {
    expect([train.description.count, held.description.count]).toEqual([10_000, 2_000]);
    const labels = train.take(Array.from({ length: 400 }, (_, i) => i)).label!.data as BigInt64Array;
    expect(labels).toHaveLength(400);
    for (let label = 0; label < 8; label++) expect(labels.filter((other) => Number(other) === label)).toHaveLength(50);
    expect(train.captions).toHaveLength(10_000);
    train.captions!.slice(0, 16).forEach((caption, i) => {
      expect(caption).toMatch(new RegExp(`^an? \\w+ ${train.classes[i % 8]} on an? \\w+ background$`));
    });
  });

  test("a number is one picture, alone or among others; parts and seeds have their own", async () => {
    expect(image(train, 5)).toEqual(image(train, 9, 5).subarray(3 * 32 * 32));
    expect(image(train, 5)).not.toEqual(image(held, 5));
    expect(image(train, 5)).not.toEqual(image(train, 13));
    const other = await openShapes({ size: 32, channels: 3, part: "train", seed: 1 });
    expect(image(train, 5)).not.toEqual(image(other, 5));
    const sums = [train, held, other].map(({ description }) => description.sha256);
    expect(new Set(sums).size).toBe(3);
  });

  test("circles have their color at the center, and all values are in 0…1", () => {
    for (let number = 0; number < 800; number += 8) {
      const { center, color, names } = sceneOf(0, "train", number);
      const pixels = image(train, number);
      const at = Math.floor(center[1] * 32) * 32 + Math.floor(center[0] * 32);
      for (const [c, value] of color.entries()) expect(pixels[c * 1024 + at]).toBeCloseTo(value, 6);
      if (names[0] === "red") expect(color[0]).toBeGreaterThan(color[1] + color[2]);
      expect(Math.min(...pixels)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...pixels)).toBeLessThanOrEqual(1);
    }
  });

  test("shapes lie within the picture and stand out in gray too", () => {
    const luma = ([r, g, b]: readonly number[]) => 0.299 * r! + 0.587 * g! + 0.114 * b!;
    for (let number = 0; number < 1000; number++) {
      const { center, radius, color, background, names } = sceneOf(0, "train", number);
      expect(Math.min(...center) - radius).toBeGreaterThanOrEqual(0);
      expect(Math.max(...center) + radius).toBeLessThanOrEqual(1);
      expect(names[0]).not.toBe(names[1]);
      for (const back of background) expect(Math.abs(luma(color) - luma(back))).toBeGreaterThan(0.08);
    }
  });

  test("gray is the luma of the colors, with captions to fit", async () => {
    const gray = await openShapes({ size: 32, channels: 1, part: "train" });
    const [one, three] = [image(gray, 3), image(train, 3)];
    for (const [p, value] of one.entries())
      expect(value).toBeCloseTo(0.299 * three[p]! + 0.587 * three[1024 + p]! + 0.114 * three[2048 + p]!, 5);
    expect(captionOf(scene("star", 0), 1)).toBe("a light star on a dark background");
    expect(captionOf({ ...scene("star", 0), names: ["orange", "black"] }, 3)).toBe(
      "an orange star on a black background",
    );
  });

  test("larger pictures show the same", async () => {
    const large = await openShapes({ size: 64, channels: 1, part: "test" });
    const small = await openShapes({ size: 32, channels: 1, part: "test" });
    const [big, little] = [image(large, 4), image(small, 4)];
    const gaps = little.map((value, p) => {
      const at = 2 * Math.floor(p / 32) * 64 + 2 * (p % 32);
      return Math.abs(value - (big[at]! + big[at + 1]! + big[at + 64]! + big[at + 65]!) / 4);
    });
    expect(gaps.reduce((sum, gap) => sum + gap, 0) / 1024).toBeLessThan(0.003);
  });
});
