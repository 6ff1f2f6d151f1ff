import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readMnist } from "../../src/data/sets/mnist.ts";
import type { Features } from "../../src/metrics/features.ts";
import { nearest } from "../../src/metrics/nearest.ts";
import { principalComponents, reconstructionError } from "../../src/metrics/pca.ts";
import { nodeFiles } from "../../src/platform/nodeFiles.ts";
import { floats } from "../../src/tensor/tensor.ts";

/** What judges generators, on MNIST's pixels. */
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const shared = resolve(root, process.env.IMAGO_SHARED ?? "../shared", "data");
const isHere = existsSync(`${shared}/mnist`);
if (!isHere) console.warn(`SKIPPED: ${shared}/mnist is missing; set IMAGO_SHARED to judge on MNIST.`);

/** All digits of a part as rows of 784 numbers, 0…1. */
async function digits(part: "train" | "test"): Promise<Features> {
  const source = await readMnist(`${shared}/mnist`, part, nodeFiles);
  const { count } = source.description;
  return { data: floats(source.take(Array.from({ length: count! }, (_, i) => i)).image!), width: 784 };
}

describe.skipIf(!isHere)("MNIST", () => {
  test("32 principal components of the 60,000 rebuild the 10,000 with an error of 0.01683", async () => {
    const [train, held] = [await digits("train"), await digits("test")];
    const parts = principalComponents(train);
    expect(reconstructionError(parts, held, 32)).toBeCloseTo(0.016828235, 8); // numpy's eigh of np.cov
    expect(parts.variances[0]).toBeCloseTo(5.11687301, 6); // numpy's too; our pixels are float32
    expect(parts.variances.filter((variance) => variance > 1e-12)).toHaveLength(712); // numpy: 8e-10, then 5e-16
  });
  test("a digit of the training set is found in it; those held out are new", async () => {
    const [train, held] = [await digits("train"), await digits("test")];
    const known = nearest({ data: train.data.subarray(59_990 * 784), width: 784 }, train);
    expect([...known.index]).toEqual(Array.from({ length: 10 }, (_, i) => 59_990 + i));
    expect([...known.distance]).toEqual(Array(10).fill(0));
    expect(
      Math.min(...nearest({ data: held.data.subarray(0, 100 * 784), width: 784 }, train).distance),
    ).toBeGreaterThan(0.5);
  });
});
