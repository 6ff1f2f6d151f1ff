import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { crop, isSamePicture } from "../../src/image/picture.ts";
import { modelOf } from "../../src/modelFiles/model.ts";
import { packModel } from "../../src/modelFiles/own.ts";
import { autoencoder } from "../../src/models/autoencoder.ts";
import { dcganGenerator } from "../../src/models/dcgan.ts";
import { stylegan2Generator } from "../../src/models/stylegan2.ts";
import { initialWeights, network } from "../../src/nn/model.ts";
import type { Use } from "../../src/nn/use.ts";
import { writePicture } from "../../src/platform/codec.ts";
import { generate as generateTask } from "../../src/tasks/generate/generate.ts";
import { mixStyles as mixStylesTask } from "../../src/tasks/generate/mixStyles.ts";
import { reconstruct as reconstructTask } from "../../src/tasks/reconstruct/reconstruct.ts";
import { findRecipe } from "../../src/tasks/train/options.ts";
import { planResume, planTraining } from "../../src/tasks/train/train.ts";
import { inputRunner, photograph, runner, temporaryFolder, testPlatform } from "../tasks/support.ts";

const reconstruct = inputRunner(reconstructTask);
const mixStyles = runner(mixStylesTask);
const generate = runner(generateTask);
const cpu = { name: "cpu", threads: 1 } as const;
const platform = testPlatform();

/** Trains a recipe, on the drawn shapes unless told otherwise, in pieces; gives the bytes of the final weights. */
async function trainedBytes(name: string, options: Record<string, unknown>, stops: readonly number[]): Promise<string> {
  const run = join(await temporaryFolder(), "run");
  const all = { data: ["shapes"], run, steps: 6, seed: 3, log: 1, save: 100, sample: 100, ...options };
  for (const [at, stop] of [...stops, 6].entries()) {
    const training =
      at === 0 ? await planTraining(findRecipe(name), all, platform, cpu) : await planResume(run, {}, platform);
    const end = new AbortController();
    for await (const { step } of training.start({ signal: end.signal })) if (step === stop && stop < 6) end.abort();
  }
  return (await readFile(join(run, "weights.safetensors"))).toString("base64");
}

describe.each([
  ["autoencoder", { variant: "denoising", size: 8, latent: 4, batch: 8 }],
  ["vae", { size: 8, latent: 2, batch: 8 }],
  ["cgan", { size: 8, latent: 4, classes: 8, batch: 8, r1: 1 }],
  ["dcgan", { size: 28, latent: 4, width: 4, batch: 4, flip: true, channels: 3 }],
  [
    "stylegan2",
    { size: 16, latent: 4, width: 4, most: 8, mapping: 2, classes: 8, batch: 4, augment: true, lazy: 2, flip: true },
  ],
  ["classifier", { size: 8, classes: 8, features: 4, batch: 8 }],
  ["stylegan2", { size: 16, latent: 4, width: 4, most: 8, mapping: 2, batch: 8, accumulate: 2 }],
  ["ddpm", { size: 16, width: 8, multipliers: [1, 2], attention: [8], blocks: 1, batch: 4, flip: true }],
] as const)("%s", (name, options) => {
  test("stopped twice and resumed equals one that ran through, byte for byte", async () => {
    expect(await trainedBytes(name, options, [2, 4])).toBe(await trainedBytes(name, options, []));
  });
});

test("pix2pix, stopped twice and resumed, equals one that ran through, byte for byte", async () => {
  const folder = await temporaryFolder();
  for (
    let number = 10;
    number < 20;
    number++ // as sorted by name; the last one is held out
  )
    await writePicture(join(folder, `${number}.png`), photograph(70, 35, number));
  const options = { data: [folder], size: 32, width: 1, batch: 2, jitter: true, flip: true };
  expect(await trainedBytes("pix2pix", options, [2, 4])).toBe(await trainedBytes("pix2pix", options, []));
});

test("pix2pix at every size that it offers has scores to learn by; smaller ones are refused", () => {
  const { options, networks, data, step } = findRecipe("pix2pix");
  for (const size of [32, 64, 512] as const) {
    const checked = options.parse({ size, width: 1 });
    const parts = step!(networks(checked, {}), data(checked).inputs(1), checked, 10);
    expect(parts.turns.generator!.loss.shape).toEqual([]);
  }
  expect(options.safeParse({ size: 16 }).success).toBe(false);
});

describe("memory settings", () => {
  const plan = async (name: string, options: Record<string, unknown>) =>
    planTraining(
      findRecipe(name),
      { data: ["shapes"], run: join(await temporaryFolder(), "run"), ...options },
      platform,
      cpu,
    );

  test("are refused where they make no sense, before anything is written", async () => {
    await expect(plan("vae", { batch: 9, accumulate: 2 })).rejects.toThrow(
      "accumulate: expected a number that divides the batch of 9, got 2.",
    );
    await expect(plan("dcgan", { accumulate: 2 })).rejects.toThrow(
      /accumulate: expected networks without batch norm, got /,
    );
    await expect(plan("vae", { remat: true })).rejects.toThrow("remat: expected a network that marks blocks");
  });

  test("a batch in parts trains as the whole one does", async () => {
    const losses = async (accumulate: number): Promise<number[]> => {
      const training = await plan("vae", { size: 8, latent: 2, batch: 8, steps: 4, seed: 3, accumulate });
      const found: number[] = [];
      for await (const tick of training.start()) if (tick.losses.vae !== undefined) found.push(tick.losses.vae);
      return found;
    };
    const [whole, parts] = [await losses(1), await losses(4)];
    expect(whole.length).toBeGreaterThanOrEqual(4);
    parts.forEach((loss, at) => {
      expect(Math.abs(loss / whole[at]! - 1)).toBeLessThan(1e-5);
    });
  });
});

/** A file of a network with its first weights; what classes add starts as nothing, and is drawn here. */
async function fileOf(made: ReturnType<typeof network>, usage: Use, card = {}): Promise<string> {
  const path = join(await temporaryFolder(), "model.safetensors");
  const weights = initialWeights([made], 2);
  for (const [name, { data }] of Object.entries(weights)) {
    if (/\.shift$/.test(name)) data.set(Float32Array.from({ length: data.length }, (_, i) => Math.sin(i)) as never);
    if (/\.strength$/.test(name)) (data as Float32Array).fill(0.05);
  }
  await writeFile(path, packModel({ ...modelOf(made, weights, usage, made.key), card }));
  return path;
}

describe("generate", () => {
  const options = { size: 28, channels: 1, latent: 5, width: 4, classes: 3 } as const;
  const usage = { task: "generate", size: 28, channels: 1, latent: 5, classes: 3 } as const;
  const model = () => fileOf(network(dcganGenerator, options), usage, { classes: '["ring","star","cross"]' });

  test("picture i of a seed is the same however many are made; the class and the seed change it", async () => {
    const path = await model();
    const three = await generate({ model: path, count: 3, seed: 7 }, platform, cpu);
    const many = await generate({ model: path, count: 70, seed: 7 }, platform, cpu);
    for (const [i, { picture }] of three.entries()) expect(isSamePicture(picture, many[i]!.picture)).toBe(true);
    expect(many.map((one) => one.class).slice(0, 4)).toEqual(["ring", "star", "cross", "ring"]);
    const [star] = await generate({ model: path, class: ["star"], count: 1, seed: 7 }, platform, cpu);
    const [other] = await generate({ model: path, class: ["ring"], count: 1, seed: 8 }, platform, cpu);
    expect(star!.class).toBe("star");
    expect(isSamePicture(star!.picture, three[0]!.picture)).toBe(false);
    expect(isSamePicture(other!.picture, three[0]!.picture)).toBe(false);
  });

  test("styles are drawn towards their mean, and mixtures begin with the pictures that they mix", async () => {
    const styled = { size: 16, channels: 1, latent: 5, width: 4, most: 8, mapping: 2 } as const;
    const made = network(stylegan2Generator, styled);
    const path = await fileOf(made, { task: "generate", size: 16, channels: 1, latent: 5, classes: 0, styles: 6 });
    const spread = async (truncation: number) => {
      const walk = { interpolate: [0, 1], count: 2 }; // both ends with the noise of the first
      const [a, b] = await generate({ model: path, seed: 7, truncation, ...walk }, platform, cpu);
      return Math.max(...a!.picture.data.map((value, i) => Math.abs(value - b!.picture.data[i]!)));
    };
    expect(await spread(0)).toBe(0);
    expect(await spread(1)).toBeGreaterThan(await spread(0.3));
    const [a, b, c] = await generate({ model: path, seed: 7, count: 3, truncation: 0 }, platform, cpu);
    expect(isSamePicture(a!.picture, b!.picture)).toBe(false); // one style, but noise of their own
    const [again] = await generate({ model: path, seed: 7, count: 1, truncation: 0 }, platform, cpu);
    expect([isSamePicture(a!.picture, again!.picture), isSamePicture(a!.picture, c!.picture)]).toEqual([true, false]);
    const sheet = await mixStyles({ model: path, count: 2, seed: 7, mix: 2 }, platform, cpu);
    const own = await generate({ model: path, count: 4, seed: 7 }, platform, cpu);
    const cell = (column: number, row: number) =>
      crop(sheet, { x: 2 + column * 66, y: 2 + row * 66, width: 1, height: 1 }).data[0];
    expect([cell(0, 1), cell(0, 2), cell(1, 0), cell(2, 0)]).toEqual(own.map(({ picture }) => picture.data[0]));
    await expect(mixStyles({ model: path, mix: 6 }, platform)).rejects.toThrow("expected less than the 6 styles");
    await expect(generate({ model: await model(), truncation: 0.5 }, platform)).rejects.toThrow("has no styles");
    await expect(mixStyles({ model: await model(), mix: 2 }, platform)).rejects.toThrow("which has none");
  });

  test("a walk begins and ends at the pictures it goes between", async () => {
    const path = await model();
    const ends = await generate({ model: path, class: ["ring"], count: 4, seed: 7 }, platform, cpu);
    const walk = await generate(
      { model: path, class: ["ring"], count: 5, seed: 7, interpolate: [1, 3] },
      platform,
      cpu,
    );
    const gap = (a: number, b: number) =>
      Math.max(...walk[a]!.picture.data.map((value, i) => Math.abs(value - ends[b]!.picture.data[i]!)));
    expect(walk.length).toBe(5);
    expect(gap(0, 1)).toBeLessThanOrEqual(1);
    expect(gap(4, 3)).toBeLessThanOrEqual(1);
  });

  test("an unknown class and a model of another task are refused", async () => {
    const path = await model();
    await expect(generate({ model: path, class: ["dog"] }, platform)).rejects.toThrow(
      "class: expected one of ring, star, cross, got dog",
    );
    await expect(reconstruct([], { model: path, data: "shapes" }, platform)).rejects.toThrow(
      "expected a model that rebuilds pictures, got one that makes pictures",
    );
  });
});

describe("reconstruct", () => {
  const options = { form: "dense", size: 12, latent: 2, channels: 3 } as const;
  const usage = { task: "reconstruct", size: 12, channels: 3, latent: [2] } as const;
  const model = () => fileOf(network(autoencoder, options), usage);

  test("takes files of any size and the held-out part of a set", async () => {
    const folder = await temporaryFolder();
    const paths = [join(folder, "a.png"), join(folder, "b.png")];
    for (const [i, path] of paths.entries()) await writePicture(path, photograph(40 + i, 30, i));
    const path = await model();
    const { sheet, pictures } = await reconstruct(paths, { model: path }, platform, cpu);
    expect(pictures.map(({ name }) => name)).toEqual(paths);
    for (const { mse, psnr } of pictures) expect(psnr).toBeCloseTo(-10 * Math.log10(mse), 6);
    expect(sheet.width).toBe(2 * (12 * 8 + 2) + 2);
    expect((await reconstruct([], { model: path, data: "shapes", count: 3 }, platform, cpu)).pictures.length).toBe(3);
  });

  test("walks and maps; a map of another code is refused", async () => {
    const path = await model();
    const walk = await reconstruct([], { model: path, data: "shapes", walk: 4 }, platform, cpu);
    const map = await reconstruct([], { model: path, map: 3 }, platform, cpu);
    expect([walk.sheet.width, map.sheet.width]).toEqual([4 * (12 * 5 + 1) + 1, 3 * (12 * 5 + 1) + 1]);
    const wide = await fileOf(network(autoencoder, { ...options, latent: 5 }), { ...usage, latent: [5] });
    await expect(reconstruct([], { model: wide, map: 3 }, platform)).rejects.toThrow(
      "map: expected a code of 2 numbers",
    );
    await expect(reconstruct([], { model: path }, platform)).rejects.toThrow(
      'expected pictures or "data", got neither',
    );
  });
});
