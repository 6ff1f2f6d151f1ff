import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { examples } from "../../src/data/examples.ts";
import { add, mul } from "../../src/engine/index.ts";
import { modelOf } from "../../src/modelFiles/model.ts";
import { packModel } from "../../src/modelFiles/own.ts";
import { autoencoder as model } from "../../src/models/autoencoder.ts";
import { lenet } from "../../src/models/lenet.ts";
import { mse } from "../../src/nn/losses.ts";
import { initialWeights, network } from "../../src/nn/model.ts";
import { adam, sgd } from "../../src/nn/optimizers.ts";
import { constantRate, cosineRate } from "../../src/nn/schedules.ts";
import { autoencoder } from "../../src/recipes/autoencoder.ts";
import { defineRecipe, frozen, modelOption, move, type RecipeDefinition } from "../../src/recipes/index.ts";
import { planResume, planTraining } from "../../src/tasks/train/train.ts";
import { readSafetensors } from "../../src/tensor/safetensors.ts";
import { floats } from "../../src/tensor/tensor.ts";
import type { Tick } from "../../src/train/fit.ts";
import { temporaryFolder, testPlatform } from "../tasks/support.ts";

const cpu = { name: "cpu", threads: 1 } as const;
const platform = testPlatform();

/** Pixels first, then the features of a network that was given; two networks, of which the second comes in with its stage. */
const staged = defineRecipe({
  name: "staged",
  summary: "an autoencoder by pixels, then by features, and another beside it",
  paper: "",
  options: z.object({
    features: modelOption("classify").optional(),
    first: z.int().default(3),
    batch: z.int().default(4),
  }),
  data: ({ batch }) => examples({ size: 28, channels: 1, batch }),
  networks: (_, given) => ({
    main: network(model, { size: 28, latent: 3 }, "main"),
    other: network(model, { size: 28, latent: 2 }, "other"),
    features: frozen(given.features!, "features"),
  }),
  results: () => ({
    main: { task: "reconstruct", size: 28, channels: 1, latent: [3] },
    other: { task: "reconstruct", size: 28, channels: 1, latent: [2] },
  }),
  stages: ({ first }) => [
    {
      name: "pixels",
      steps: first,
      step({ main }, { image }, steps) {
        const loss = mse(main(image, { training: true }), image);
        return { turns: { pixels: move(main, loss, { optimizer: adam(), rate: cosineRate(1e-2, { steps }) }) } };
      },
    },
    {
      name: "features",
      step({ main, other, features }, { image }) {
        const [made, beside] = [main(image, { training: true }), other(image, { training: true })];
        const distance = mse(features.part("features", made), features.part("features", image));
        return {
          turns: {
            perceptual: move(main, add(mul(distance, 0.1), mse(made, image)), { optimizer: adam(), rate: constantRate(1e-3), clipNorm: 0.5 }), // biome-ignore format: one line
            beside: move(other, mse(beside, image), { optimizer: sgd(), rate: constantRate(1e-2) }),
          },
          metrics: { distance },
          shown: { made },
        };
      },
    },
  ],
  emaDecay: () => 0.5,
}) as unknown as RecipeDefinition;

/** A file of LeNet with its first weights. */
async function judgeFile(folder: string): Promise<string> {
  const made = network(lenet);
  const usage = { task: "classify", size: 28, channels: 1, classes: 10 } as const;
  const path = join(folder, "lenet.safetensors");
  await platform.files.write(path, packModel(modelOf(made, initialWeights([made], 5), usage, made.key)));
  return path;
}

interface Asked {
  readonly folder: string;
  readonly features: string;
  readonly run: string;
}

const plan = ({ folder, features, run }: Asked, more = {}) =>
  planTraining(
    staged,
    { data: ["shapes"], run: join(folder, run), steps: 8, seed: 4, log: 1, save: 2, sample: 4, features, ...more },
    platform,
    cpu,
  );

async function ticksOf(training: Awaited<ReturnType<typeof plan>>, until = Infinity): Promise<Tick[]> {
  const ticks: Tick[] = [];
  for await (const tick of training.start()) {
    ticks.push(tick);
    if (tick.step === until) break; // as a process that ends here: nothing is saved
  }
  return ticks;
}

/** All that a run left, by name. */
async function contentsOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => /safetensors$|samples\//.test(name));
  const read = async (name: string) => [name, (await readFile(join(folder, name))).toString("base64")] as const;
  return Object.fromEntries(await Promise.all(names.sort().map(read)));
}

describe("a run of two stages with a frozen network", () => {
  test.each([1, 3, 5, 7])(
    "killed after step %i and resumed equals one that ran through, byte for byte",
    async (kill) => {
      const folder = await temporaryFolder();
      const features = await judgeFile(folder);
      await ticksOf(await plan({ folder, features, run: "whole" }));
      await ticksOf(await plan({ folder, features, run: "killed" }), kill);
      await ticksOf(await planResume(join(folder, "killed"), {}, platform, { recipe: staged, runtime: cpu }));
      const whole = await contentsOf(join(folder, "whole"));
      expect(Object.keys(whole)).toEqual([
        "checkpoint.safetensors",
        "other.safetensors",
        "samples/000004-made.png",
        "samples/000004.png",
        "samples/000008-made.png",
        "samples/000008.png",
        "weights.safetensors",
      ]);
      expect(await contentsOf(join(folder, "killed"))).toEqual(whole);
    },
  );

  test("tells each turn's loss, rate and norm by name; frozen weights are in no file", async () => {
    const folder = await temporaryFolder();
    const ticks = await ticksOf(await plan({ folder, features: await judgeFile(folder), run: "run" }));
    expect(Object.keys(ticks[1]!.losses)).toEqual(["pixels"]);
    expect(ticks[1]!.learningRate).toBeCloseTo(5e-3, 9); // the middle of the first stage's cosine
    expect(Object.keys(ticks[4]!.losses).sort()).toEqual(
      ["beside", "distance", "norm of main", "norm of other", "perceptual"].sort(),
    );
    expect(ticks[4]!.learningRate).toEqual({ perceptual: 1e-3, beside: 1e-2 });
    const state = readSafetensors(await readFile(join(folder, "run/checkpoint.safetensors"))).tensors;
    expect(Object.keys(state).filter((name) => name.includes("features"))).toEqual([]);
    const { metadata, tensors } = readSafetensors(await readFile(join(folder, "run/other.safetensors")));
    expect(JSON.parse(metadata.usage!)).toMatchObject({ task: "reconstruct", latent: [2] });
    expect(Object.keys(tensors).every((name) => name.startsWith("other/"))).toBe(true);
    expect(ticks.at(-1)!.results).toEqual([join(folder, "run/weights.safetensors"), join(folder, "run/other.safetensors")]); // biome-ignore format: one line
  });

  test("the second stage begins with what the first one made, and with moments of zero", async () => {
    const folder = await temporaryFolder();
    const features = await judgeFile(folder);
    const short = { steps: 3, save: 1 };
    await ticksOf(await plan({ folder, features, run: "short" }, short));
    const before = readSafetensors(await readFile(join(folder, "short/checkpoint.safetensors"))).tensors;
    await ticksOf(await plan({ folder, features, run: "long" }, { steps: 4, save: 1 }));
    const after = readSafetensors(await readFile(join(folder, "long/checkpoint.safetensors"))).tensors;
    const name = Object.keys(before).find((key) => key.startsWith("weights/main/") && key.endsWith("weight"))!;
    const moves = floats(after[name]!).map((value, i) => Math.abs(value - floats(before[name]!)[i]!));
    expect(Math.max(...moves)).toBeGreaterThan(0);
    expect(Math.max(...moves)).toBeLessThan(1.01e-3); // Adam's first step is no longer than its rate
  });
});

describe("first weights", () => {
  const options = { size: 8, latent: 3, batch: 4 } as const;
  const train = async (folder: string, more: Record<string, unknown>) => {
    const all = { data: ["shapes"], run: join(folder, String(more.run ?? "run")), steps: 1, ...options, ...more };
    return planTraining(autoencoder as unknown as RecipeDefinition, { ...all, run: all.run }, platform, cpu);
  };

  test("come from a model: a rate of almost nothing leaves them as they were", async () => {
    const folder = await temporaryFolder();
    await ticksOf(await train(folder, { seed: 1 }));
    const start = join(folder, "run/weights.safetensors");
    const still = { seed: 2, start, learningRate: 1e-30, finalRate: 0 };
    const second = await temporaryFolder();
    await ticksOf(await train(second, still));
    const [a, b] = [readSafetensors(await readFile(start)), readSafetensors(await readFile(join(second, "run/weights.safetensors")))]; // biome-ignore format: one line
    expect(b.tensors).toEqual(a.tensors);
    expect(b.metadata.start).toBe("weights.safetensors"); // without the folders of this machine
  });

  test("of another network are refused before anything is written", async () => {
    const folder = await temporaryFolder();
    await ticksOf(await train(folder, { seed: 1 }));
    const second = await temporaryFolder();
    const start = join(folder, "run/weights.safetensors");
    await expect(train(second, { start, latent: 5 })).rejects.toThrow(/expected autoencoder weights with .*, got \[/);
    expect(await readdir(second)).toEqual([]);
  });
});

test("a recipe that calls an option as the run does is refused by name", async () => {
  const { options, ...rest } = autoencoder;
  const wrong = { ...rest, options: options.extend({ steps: z.int().default(3) }) } as unknown as RecipeDefinition;
  const asked = planTraining(wrong, { data: ["shapes"], run: "nowhere" }, platform, cpu);
  await expect(asked).rejects.toThrow(
    "recipe autoencoder: expected options with other names than those of a run, got steps. Rename it.",
  );
});
