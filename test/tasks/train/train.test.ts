import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { loadModel } from "../../../src/modelFiles/read.ts";
import { writePicture } from "../../../src/platform/codec.ts";
import { dcgan } from "../../../src/recipes/dcgan.ts";
import type { RecipeDefinition } from "../../../src/recipes/index.ts";
import { generate as generateTask } from "../../../src/tasks/generate/generate.ts";
import { findRecipe } from "../../../src/tasks/train/options.ts";
import { planResume, planTraining, type TrainTick } from "../../../src/tasks/train/train.ts";
import { readSafetensors } from "../../../src/tensor/safetensors.ts";
import { photograph, runner, temporaryFolder, testPlatform } from "../support.ts";

const generate = runner(generateTask);
const cpu = { name: "cpu", threads: 1 } as const;
const platform = testPlatform();
const shapes = { data: ["shapes"], seed: 0 };

/** Trains on the drawn shapes to the end; gives the ticks. */
async function trained(name: string, run: string, options: Record<string, unknown>): Promise<TrainTick[]> {
  const training = await planTraining(findRecipe(name), { ...shapes, run, ...options }, platform, cpu);
  const ticks: TrainTick[] = [];
  for await (const tick of training.start()) ticks.push(tick);
  return ticks;
}

interface Line {
  readonly step: number;
  readonly losses?: Readonly<Record<string, number>>;
  readonly evaluation?: Readonly<Record<string, number>>;
}
const metricsOf = async (run: string): Promise<Line[]> =>
  (await readFile(join(run, "metrics.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as Line); // biome-ignore format: one line

describe("a generator is watched", () => {
  const every = { size: 16, batch: 64, steps: 300, log: 50, save: 300, sample: 50 };

  test.each([
    ["gan", {}],
    ["gan", { loss: "hinge" }],
    ["gan", { loss: "least-squares" }],
    ["gan", { loss: "wgan-gp" }],
    ["gan", { loss: "relativistic" }],
    ["cgan", { classes: 8 }],
    ["dcgan", { size: 28, channels: 1, width: 8, batch: 16, sample: 100 }],
    [
      "dcgan",
      { size: 28, channels: 1, width: 8, batch: 16, sample: 100, norm: "spectral", loss: "hinge", augment: true },
    ],
  ])("%s %j learns without an alarm", async (name, options) => {
    const run = join(await temporaryFolder(), "run");
    const ticks = await trained(name, run, { ...every, ...options });
    expect(ticks.flatMap(({ alarm }) => alarm ?? [])).toEqual([]);
    const lines = await metricsOf(run);
    expect(lines.findLast(({ evaluation }) => evaluation)!.evaluation!.diversity).toBeGreaterThan(0.4);
    for (const network of ["generator", "discriminator"])
      for (const { losses } of lines) if (losses) expect(losses[`norm of ${network}`]).toBeGreaterThan(0.01);
  });

  test("one that collapses is told, with numbers and a cure", async () => {
    const run = join(await temporaryFolder(), "run");
    const ticks = await trained("gan", run, { ...every, loss: "hinge", learningRate: 1 }); // collapses at every seed tried
    const told = ticks.flatMap(({ alarm }) => alarm?.split("\n") ?? []);
    const collapse = told.filter((text) => text.startsWith("samples are"));
    expect(collapse.length).toBe(1);
    expect(collapse[0]).toMatch(/^samples are (9\d|100) % alike \(diversity [\d.e-]+ of .*: the generator has collapsed.*; lower the learning rate/); // biome-ignore format: one line
    expect(ticks.at(-1)!.weights).toBeDefined();
  });

  test("a discriminator that is too strong is told", async () => {
    const run = join(await temporaryFolder(), "run");
    const ticks = await trained("gan", run, { ...every, learningRate: 0.3 });
    expect(ticks.flatMap(({ alarm }) => alarm ?? []).join("\n")).toMatch(
      /^the discriminator is right about 100 % .* too strong/m,
    );
  });
});

test("under R1 the discriminator's slope at real pictures falls, to far below that of one that is hardly held back", async () => {
  const penalties = async (r1: number): Promise<number[]> => {
    const run = join(await temporaryFolder(), "run");
    await trained("gan", run, { size: 16, batch: 64, steps: 500, log: 50, save: 500, sample: 500, r1 });
    return (await metricsOf(run)).flatMap(({ losses }) => losses?.penalty ?? []);
  };
  const [held, free] = [await penalties(10), await penalties(0.01)];
  expect(held.at(-1)!).toBeLessThan(Math.max(...held) / 4);
  expect(held.at(-1)! / 10).toBeLessThan(free.at(-1)! / 0.01 / 20);
});

describe("the best by a judge", () => {
  test("is kept, survives an interruption byte for byte, and can be used by its path", async () => {
    const folder = await temporaryFolder();
    const judge = join(folder, "judge");
    await trained("classifier", judge, { size: 8, classes: 8, features: 8, steps: 20, sample: 20 });
    const options = { size: 8, latent: 4, batch: 16, steps: 12, sample: 3, save: 5, judge, keepBest: "kid" };
    const [whole, parts] = [join(folder, "whole"), join(folder, "parts")];
    const ticks = await trained("gan", whole, options);

    const training = await planTraining(
      findRecipe("gan"),
      { ...shapes, ...options, run: parts } as never,
      platform,
      cpu,
    );
    for await (const { step } of training.start()) if (step === 8) break; // as a crash: nothing since step 5 is saved
    for await (const _ of (await planResume(parts, {}, platform)).start());
    for (const name of ["best.safetensors", "weights.safetensors", "samples.webp"])
      expect((await readFile(join(parts, name))).equals(await readFile(join(whole, name))), name).toBe(true);

    const scores = (await metricsOf(whole)).flatMap(({ step, evaluation }) =>
      evaluation ? [{ step, score: evaluation.kid! }] : [],
    );
    expect(scores.map(({ step }) => step)).toEqual([3, 6, 9, 12]);
    const lowest = scores.toSorted((a, b) => a.score - b.score)[0]!;
    const path = join(whole, "best.safetensors");
    expect(ticks.at(-1)!.best).toEqual({ path, ...lowest });
    const { metadata } = readSafetensors(await readFile(path));
    expect(metadata).toMatchObject({ best: "kid", step: String(lowest.step), score: String(lowest.score), model: "gan-generator" }); // biome-ignore format: one line
    expect((await loadModel(path, platform)).name).toBe("gan-generator");
    expect((await generate({ model: path, count: 2 }, platform, cpu)).length).toBe(2);
  });

  test("is the highest PSNR of a network that enlarges, or the highest accuracy of a classifier", async () => {
    const folder = await temporaryFolder();
    const validate = join(folder, "held");
    await mkdir(validate);
    await writePicture(join(validate, "a.png"), photograph(48, 40));
    const few = { steps: 6, sample: 1, log: 1, save: 6 };
    const enlarger = { ...few, form: "9-1-5", patch: 16, batch: 1, learningRate: 0.01, data: [validate], validate };
    const digits = { ...few, size: 8, classes: 8, features: 4, learningRate: 0.05 };
    for (const [name, figure, options] of [
      ["srcnn", "psnr", enlarger],
      ["classifier", "accuracy", digits],
    ] as const) {
      const run = join(folder, name);
      const ticks = await trained(name, run, { ...options, keepBest: figure });
      const scores = (await metricsOf(run)).flatMap(({ evaluation }) => evaluation?.[figure] ?? []);
      expect(scores).toHaveLength(6);
      expect(ticks.at(-1)!.best!.score).toBe(Math.max(...scores));
      expect(ticks.at(-1)!.best!.step).toBe(1 + scores.indexOf(Math.max(...scores)));
    }
    await expect(trained("srcnn", join(folder, "c"), { ...enlarger, validate: undefined, keepBest: "psnr" })).rejects.toThrow('keepBest: expected pictures to score, got none. Give a folder of them as "validate".'); // biome-ignore format: one line
    await expect(trained("srcnn", join(folder, "c"), { ...enlarger, keepBest: "kid" })).rejects.toThrow(
      "keepBest: expected one of psnr and ssim for a network that enlarges pictures, got kid.",
    );
    await expect(trained("classifier", join(folder, "c"), { ...digits, judge: "x" })).rejects.toThrow(
      "judge: expected none with this recipe, whose network tells classes apart. Leave it out.",
    );
  });

  test("needs a judge of these pictures, and a generator", async () => {
    const folder = await temporaryFolder();
    const plan = (name: string, options: object) =>
      planTraining(
        findRecipe(name),
        { ...shapes, run: join(folder, "run"), size: 8, ...options } as never,
        platform,
        cpu,
      );
    await expect(plan("gan", { keepBest: "kid" })).rejects.toThrow(
      "judge: expected a classifier to judge by, got none",
    );
    await expect(plan("vae", { keepBest: "kid" })).rejects.toThrow("keepBest: expected mse for a network that rebuilds pictures, got kid."); // biome-ignore format: one line
    const judge = join(folder, "judge");
    await trained("classifier", judge, { size: 12, classes: 8, features: 2, steps: 1 });
    await expect(plan("gan", { judge })).rejects.toThrow("expected a judge of 1×8×8 pictures, got one of 1×12×12");
    expect(await readdir(folder)).toEqual(["judge"]);
  });
});

describe("samples", () => {
  test("are a row per class from the same codes at every interval, and become an animation", async () => {
    const run = join(await temporaryFolder(), "run");
    const ticks = await trained("cgan", run, { size: 8, latent: 4, classes: 8, batch: 8, steps: 4, sample: 2 });
    const sheet = await sharp(join(run, "samples/000002.png")).metadata();
    expect([sheet.width, sheet.height]).toEqual([10 * (64 + 2) + 2, 8 * (64 + 2) + 2]);
    expect(ticks.at(-1)!.animation).toBe(`${run}/samples.webp`);
    const { pages, delay } = await sharp(join(run, "samples.webp"), { animated: true }).metadata();
    expect([pages, delay]).toEqual([2, [200, 2000]]);
    const pixels = (path: string, page = 0) => sharp(join(run, path), { page }).removeAlpha().raw().toBuffer();
    for (const [page, name] of ["000002", "000004"].entries())
      expect((await pixels("samples.webp", page)).equals(await pixels(`samples/${name}.png`))).toBe(true);
  });
});

test("a GAN with moving averages, stopped twice and resumed, equals one that ran through, byte for byte", async () => {
  const recipe = { ...dcgan, name: "own", emaDecay: () => 0.9 } as unknown as RecipeDefinition;
  const result = async (stops: readonly number[]): Promise<Buffer[]> => {
    const run = join(await temporaryFolder(), "run");
    const options = {
      ...shapes,
      run,
      steps: 6,
      save: 100,
      sample: 2,
      size: 28,
      latent: 4,
      width: 4,
      batch: 4,
      flip: true,
    };
    for (const [at, stop] of [...stops, 6].entries()) {
      const training =
        at === 0 ? await planTraining(recipe, options, platform, cpu) : await planResume(run, {}, platform, { recipe });
      const end = new AbortController();
      for await (const { step } of training.start({ signal: end.signal })) if (step === stop && stop < 6) end.abort();
    }
    return Promise.all(["weights", "checkpoint"].map((name) => readFile(join(run, `${name}.safetensors`))));
  };
  const whole = await result([]);
  for (const [i, bytes] of (await result([2, 5])).entries()) expect(bytes.equals(whole[i]!)).toBe(true);
  const [weights, { tensors: state }] = [whole[0]!, readSafetensors(whole[1]!)];
  const [name] = Object.keys(readSafetensors(weights).tensors);
  expect(readSafetensors(weights).tensors[name!]).toEqual(state[`ema/${name}`]);
  expect(state[`ema/${name}`]).not.toEqual(state[`weights/${name}`]);
});
