import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { catalog } from "../../src/data/catalog.ts";
import { listPictures } from "../../src/data/folder.ts";
import { type PatchOptions, patchSource } from "../../src/data/patchSource.ts";
import { prefetch } from "../../src/data/prefetch.ts";
import { readMnist } from "../../src/data/sets/mnist.ts";
import { probePicture, readPicture } from "../../src/platform/codec.ts";
import { nodeFiles } from "../../src/platform/nodeFiles.ts";
import { readSafetensors, writeSafetensors } from "../../src/tensor/safetensors.ts";
import { floats } from "../../src/tensor/tensor.ts";
import { readStored } from "../fixtures/safetensors.ts";

/** Training data as they come: pictures, digits, weights of others. */
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const shared = resolve(root, process.env.IMAGO_SHARED ?? "../shared", "data");
const isHere = existsSync(`${shared}/mnist`);
if (!isHere) console.warn(`SKIPPED: ${shared} is missing; set IMAGO_SHARED to read real data.`);

const tools = { read: readPicture, probe: probePicture, files: nodeFiles };
const t91 = (options: Partial<PatchOptions> = {}): PatchOptions => ({
  pictures: [],
  scale: 2,
  patch: 64,
  batch: 16,
  color: "y",
  input: "enlarged",
  seed: 1,
  augment: true,
  memory: 1e9,
  ...options,
});

describe.skipIf(!isHere)("MNIST", () => {
  test("is read whole, and is the set that the catalog means", async () => {
    const [train, held] = [
      await readMnist(`${shared}/mnist`, "train", nodeFiles),
      await readMnist(`${shared}/mnist`, "test", nodeFiles),
    ];
    expect([train.description.count, held.description.count]).toEqual([60_000, 10_000]);
    expect(Array.from(train.take([0, 1, 2, 3, 4]).label!.data as BigInt64Array, Number)).toEqual([5, 0, 4, 1, 9]);
    expect(Array.from(held.take([0, 1, 2, 3, 4]).label!.data as BigInt64Array, Number)).toEqual([7, 2, 1, 0, 4]);
    const pixels = floats(train.take(Array.from({ length: 60_000 }, (_, i) => i)).image!);
    const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
    expect(mean).toBeCloseTo(0.1307, 4); // the mean that everybody normalizes with
  });

  test("files that have the catalog's size have its sum; unpacked, all have the known sums", () => {
    const known = {
      "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
      "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
      "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
      "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    };
    const sum = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    let same = 0;
    for (const [name, unpacked] of Object.entries(known)) {
      const bytes = readFileSync(`${shared}/mnist/${name}`);
      expect(sum(gunzipSync(bytes))).toBe(unpacked);
      const download = catalog.find((one) => one.name === "mnist")!.downloads.find((one) => one.name === name)!;
      if (bytes.length !== download.bytes) continue;
      expect(sum(bytes)).toBe(download.sha256);
      same++;
    }
    expect(same).toBeGreaterThan(0);
  });
});

describe.skipIf(!isHere)("patches of T91", () => {
  test("bicubic inputs are as far from the originals as published figures say", async () => {
    const pictures = await listPictures([`${shared}/sr/t91`], nodeFiles);
    expect(pictures).toHaveLength(91);
    const source = await patchSource(t91({ pictures }), tools);
    let [error, count] = [0, 0];
    for (let step = 1; step <= 60; step++) {
      const { input, target } = await source.batch(step);
      const truth = floats(target!);
      floats(input!).forEach((value, i) => {
        error += (value - truth[i]!) ** 2;
      });
      count += truth.length;
      expect(Math.min(...truth)).toBeGreaterThanOrEqual(16 / 255 - 1e-6);
      expect(Math.max(...truth)).toBeLessThanOrEqual(235 / 255 + 1e-6);
    }
    const psnr = 10 * Math.log10(count / error);
    expect(psnr).toBeGreaterThan(27);
    expect(psnr).toBeLessThan(34);
    expect(source.skipped).toEqual([]);
  });

  test("a picture cut short is skipped and named; the rest go on", async () => {
    const truncated = `${shared}/scikit-image/truncated.jpg`;
    const pictures = [truncated, ...(await listPictures([`${shared}/sr/t91/*1.*`], nodeFiles))];
    const source = await patchSource(t91({ pictures }), tools);
    for (let step = 1; step <= 4; step++) await source.batch(step);
    expect(source.skipped.map(({ path }) => path)).toEqual([truncated]);
  });

  test("in a small memory the pool rolls, and a step rarely waits", async () => {
    const pictures = await listPictures([`${shared}/sr/bsds400`], nodeFiles);
    const start = performance.now();
    const source = await patchSource(t91({ pictures, memory: 60e6, visits: 16 }), tools);
    const ready = performance.now();
    let waited = 0;
    const steps = 120;
    for await (const batch of prefetch(source, { from: 1, to: steps })) {
      if (batch.step > 1) waited += batch.waited;
      await new Promise((resolve) => setTimeout(resolve, 50)); // the network's share
    }
    const seconds = (performance.now() - ready) / 1000;
    console.log(
      `survey of ${pictures.length} pictures ${((ready - start) / 1000).toFixed(1)} s; pool of ${source.description.pool}; ` +
        `${steps} steps of 50 ms in ${seconds.toFixed(1)} s, waiting ${((100 * waited) / seconds).toFixed(1)} %`,
    );
    expect(source.description.pool).toBeLessThan(100);
    expect(waited / seconds).toBeLessThan(0.2);
  });
});

describe.skipIf(!isHere)("weights of others", () => {
  test.each(["vdsr_twtygqyy", "carn_m", "ddpm_mnist_yichizz"])("%s reads as a plain reader reads it", async (name) => {
    const folder = resolve(shared, "../weights", name);
    const place = existsSync(folder) ? folder : resolve(shared, "weights", name);
    const found = (await nodeFiles.list(place)).filter((entry) => entry.name.endsWith(".safetensors"));
    expect(found.length).toBeGreaterThan(0);
    for (const { name: file } of found) {
      const { tensors } = readSafetensors(await nodeFiles.read(`${place}/${file}`), file);
      const plain = readStored(`${place}/${file}`);
      expect(Object.keys(tensors).sort()).toEqual(Object.keys(plain).sort());
      for (const [key, { shape, data, dtype }] of Object.entries(plain)) {
        expect(tensors[key]!.shape).toEqual(shape);
        if (dtype === "F32") expect(Buffer.compare(bytes(tensors[key]!.data), bytes(data))).toBe(0);
      }
      expect(readSafetensors(writeSafetensors(tensors)).tensors).toEqual(tensors);
    }
  });
});

const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => Buffer.from(buffer, byteOffset, byteLength);
