import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Examples } from "../../src/data/exampleSource.ts";
import { type OpenOptions, openExamples } from "../../src/data/openSet.ts";
import { readPicture } from "../../src/platform/codec.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { floats } from "../../src/tensor/tensor.ts";

/** Example sets as others give them out. */
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const shared = resolve(root, process.env.IMAGO_SHARED ?? "../shared", "data");
const isHere = existsSync(`${shared}/small`);
if (!isHere) console.warn(`SKIPPED: ${shared} is missing; set IMAGO_SHARED to read real data.`);

const tools = nodePlatform();
const both = async (name: string, options: Omit<OpenOptions, "part">): Promise<readonly [Examples, Examples]> => [
  await openExamples(`${shared}/${name}`, { ...options, part: "train" }, tools),
  await openExamples(`${shared}/${name}`, { ...options, part: "test" }, tools),
];
const counts = (sets: readonly Examples[]) => sets.map(({ description }) => description.count);
const all = ({ description: { count } }: Examples) => Array.from({ length: count }, (_, i) => i);

/** Mean and standard deviation of every channel. */
function statistics(pixels: Float32Array, area: number): readonly (readonly [number, number])[] {
  const sums = [0, 1, 2].map(() => [0, 0] as [number, number]);
  pixels.forEach((value, i) => {
    const sum = sums[Math.floor(i / area) % 3]!;
    sum[0] += value;
    sum[1] += value * value;
  });
  const count = pixels.length / 3;
  return sums.map(([sum, squares]) => [sum / count, Math.sqrt(squares / count - (sum / count) ** 2)]);
}

describe.skipIf(!isHere)("sets of others", () => {
  test("MNIST: 60,000 and 10,000 digits, in 32 the same ink", async () => {
    const sets = await both("mnist", { size: 32, channels: 1 });
    expect(counts(sets)).toEqual([60_000, 10_000]);
    const labels = sets[1].take(all(sets[1])).label!.data as BigInt64Array;
    const perDigit = Array.from({ length: 10 }, (_, d) => labels.filter((label) => Number(label) === d).length);
    expect(perDigit).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]); // as published
    let sum = 0;
    for (let first = 0; first < 60_000; first += 1000)
      for (const value of floats(sets[0].take(Array.from({ length: 1000 }, (_, i) => first + i)).image!)) sum += value;
    expect(sum / (60_000 * 784)).toBeCloseTo(0.1307, 3); // the border of a few digits is not black, and is repeated
  });

  test("Fashion-MNIST's sprite: 900 pictures, 90 of each class", async () => {
    const sets = await both("small/fashion_mnist_sprite", { size: 28, channels: 1 });
    expect(counts(sets)).toEqual([810, 90]);
    expect(sets[1].classes[1]).toBe("trouser");
    const labels = sets[1].take(all(sets[1])).label!.data as BigInt64Array;
    for (let label = 0; label < 10; label++) expect(labels.filter((l) => Number(l) === label)).toHaveLength(9);
  });

  test("CIFAR's strips: 25,000 pictures of ten classes, with the statistics of the lossless ones", async () => {
    const sets = await both("small/cifar10_jpeg", { size: 32, channels: 3 });
    expect(counts(sets)).toEqual([22_500, 2_500]);
    expect(sets[0].classes).toEqual("airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck".split(","));
    const rows = await readPicture(`${shared}/small/cifar10_lossless/cifar10_batch_0.png`); // a row is a picture
    const planes = new Float32Array(1000 * 3 * 1024);
    for (let p = 0; p < 1000 * 1024; p++)
      for (let c = 0; c < 3; c++)
        planes[Math.floor(p / 1024) * 3072 + c * 1024 + (p % 1024)] = rows.data[p * rows.channels + c]! / 255;
    const some = all(sets[0]).filter((i) => i % 9 === 0);
    const [ours, theirs] = [statistics(floats(sets[0].take(some).image!), 1024), statistics(planes, 1024)];
    ours.forEach(([mean, deviation], c) => {
      expect(Math.abs(mean - theirs[c]![0])).toBeLessThan(0.02);
      expect(Math.abs(deviation - theirs[c]![1])).toBeLessThan(0.01);
    });
    const digits = JSON.parse(
      readFileSync(`${shared}/small/cifar10_lossless/cifar10_batch_0_labels.json`, "utf8"),
    ) as number[];
    expect(twins(sets[0], planes, digits)).toBeGreaterThan(300);
  });

  test("CryptoPunks: 10,000 cells of 24 pixels, on white", async () => {
    const sets = await both("small/cryptopunks", { size: 24, channels: 3, cell: 24 });
    expect(counts(sets)).toEqual([9_000, 1_000]);
    const corners = sets[0].take(all(sets[0])).image!;
    for (let i = 0; i < 9_000; i++) expect(floats(corners)[i * 1728]).toBe(1);
  });

  test("EmojiOne: 1,182 pictures with captions", async () => {
    const sets = await both("small/emojione64", { size: 32, channels: 3 });
    expect(counts(sets)).toEqual([1064, 118]);
    expect(sets[0].captions![0]).toBe("digit zero");
    for (const { captions, description, skipped } of sets) {
      expect(captions).toHaveLength(description.count);
      expect(captions!.every((caption) => caption !== "")).toBe(true);
      expect(skipped).toEqual([]);
    }
  });

  test("photographs with half a JPEG among them", async () => {
    const set = await openExamples(`${shared}/scikit-image`, { size: 32, channels: 3, part: "train" }, tools);
    expect(set.description.count).toBe(7);
    expect(set.skipped.map(({ path }) => path)).toEqual([`${shared}/scikit-image/truncated.jpg`]);
  });
});

/** How many of the lossless pictures have a picture in the set within 24 dB, of the same class each; throws if of another. */
function twins(set: Examples, planes: Float32Array, classes: readonly number[]): number {
  const key = (pixels: Float32Array, start: number): readonly number[] =>
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((k) => {
      let sum = 0;
      for (let p = 0; p < 256; p++) sum += pixels[start + 256 * k + p]! / 256;
      return sum;
    });
  const taken = set.take(all(set));
  const [image, label] = [floats(taken.image!), taken.label!.data as BigInt64Array];
  const keys = all(set).map((i) => key(image, i * 3072));
  let found = 0;
  for (let j = 0; j < classes.length; j++) {
    const wanted = key(planes, j * 3072);
    for (const [i, other] of keys.entries()) {
      if (other.some((value, k) => Math.abs(value - wanted[k]!) > 0.02)) continue;
      let error = 0;
      for (let p = 0; p < 3072; p++) error += (image[i * 3072 + p]! - planes[j * 3072 + p]!) ** 2 / 3072;
      if (error > 10 ** -2.4) continue;
      expect(Number(label[i])).toBe(classes[j]);
      found++;
    }
  }
  return found;
}
