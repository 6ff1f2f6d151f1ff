import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { add, div, exp, mul, referenceRuntime, reshape, sqrt, square, sub } from "../../../src/engine/index.ts";
import { isSamePicture, type Picture } from "../../../src/image/picture.ts";
import { modelOf } from "../../../src/modelFiles/model.ts";
import { packModel } from "../../../src/modelFiles/own.ts";
import { diffusionUnet } from "../../../src/models/diffusionUnet.ts";
import { ganGenerator } from "../../../src/models/gan.ts";
import { defineModel, initialWeights, type Network, network } from "../../../src/nn/model.ts";
import type { UseOf } from "../../../src/nn/use.ts";
import { resultOf, withTools } from "../../../src/tasks/common/task.ts";
import { openDiffusion } from "../../../src/tasks/generate/diffusion.ts";
import { type GenerateOptions, type GenerateTick, generate as generateTask } from "../../../src/tasks/generate/generate.ts"; // biome-ignore format: one line
import { firstRows } from "../../../src/tasks/generate/generator.ts";
import { floats } from "../../../src/tensor/tensor.ts";
import { runner, temporaryFolder, testPlatform } from "../support.ts";

const generate = runner(generateTask);
const cpu = { name: "cpu", threads: 1 } as const;
const platform = testPlatform();

async function fileOf(made: Network, usage: UseOf<"generate">): Promise<string> {
  const path = join(await temporaryFolder(), "model.safetensors");
  const weights = initialWeights([made], 2);
  for (const [name, { data }] of Object.entries(weights))
    if (/\/last\.weight$/.test(name)) for (let i = 0; i < data.length; i++) data[i] = 0.1 * Math.sin(i); // begins as almost nothing
  await writeFile(path, packModel(modelOf(made, weights, usage, made.key)));
  return path;
}

const square16 = { size: 16, channels: 1 } as const;
const usage = { task: "generate", ...square16, latent: 256, classes: 0, diffusion: "noise" } as const;
const diffusion = (): Promise<string> =>
  fileOf(network(diffusionUnet, { ...square16, width: 8, multipliers: [1, 2], blocks: 1, attention: [] }), usage);

const isEach = (made: readonly { readonly picture: Picture }[], others: readonly { readonly picture: Picture }[]) =>
  made.map(({ picture }, i) => isSamePicture(picture, others[i]!.picture));

/** Ticks of a generation up to its end or what ends it. */
async function ticksOf(options: GenerateOptions, onTick?: (tick: GenerateTick) => void, signal?: AbortSignal) {
  const ticks: GenerateTick[] = [];
  const error = await withTools(platform, { ...cpu, signal }, (tools) =>
    resultOf(generateTask.run(undefined, options, tools), (tick) => {
      ticks.push(tick);
      onTick?.(tick);
    }),
  ).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { ticks, error };
}

describe.each(["ddim", "ddpm"] as const)("%s", (sampler) => {
  test("picture i of a seed is the same however many are made; another seed makes others", async () => {
    const asked = { model: await diffusion(), sampler, samplerSteps: 2, seed: 7 };
    const three = await generate({ ...asked, count: 3 }, platform, cpu);
    const many = await generate({ ...asked, count: 17 }, platform, cpu);
    const other = await generate({ ...asked, count: 3, seed: 8 }, platform, cpu);
    expect(many).toHaveLength(17);
    expect(isEach(three, many)).toEqual([true, true, true]);
    expect(isEach(three, other)).toEqual([false, false, false]);
    expect(isEach(many.slice(16), many)).toEqual([false]);
    expect(three[0]!.picture).toMatchObject({ width: 16, height: 16, channels: 1 });
  });

  test("a walk begins and ends at the pictures it goes between", async () => {
    const asked = { model: await diffusion(), sampler, samplerSteps: 2, seed: 7 };
    const ends = await generate({ ...asked, count: 4 }, platform, cpu);
    const walk = await generate({ ...asked, count: 5, interpolate: [1, 3] }, platform, cpu);
    const gap = (a: number, b: number) =>
      Math.max(...walk[a]!.picture.data.map((value, i) => Math.abs(value - ends[b]!.picture.data[i]!)));
    expect(walk).toHaveLength(5);
    expect(gap(0, 1)).toBeLessThanOrEqual(1);
    if (sampler === "ddim") expect(gap(4, 3)).toBeLessThanOrEqual(1); // ddpm goes on with the noise of the first
    expect(gap(2, 1)).toBeGreaterThan(10);
  });
});

test("ddim is the usual sampler, of 50 steps; ddpm takes 250", async () => {
  const model = await diffusion();
  const few = { model, count: 1, samplerSteps: 2 };
  const [usual] = await generate(few, platform, cpu);
  const ddim = await generate({ ...few, sampler: "ddim" }, platform, cpu);
  const ddpm = await generate({ ...few, sampler: "ddpm" }, platform, cpu);
  expect([...isEach(ddim, [usual!]), ...isEach(ddpm, [usual!])]).toEqual([true, false]);
  const told = async (options: GenerateOptions): Promise<string | undefined> => {
    const end = new AbortController();
    const { ticks } = await ticksOf({ model, count: 1, ...options }, ({ what }) => what && end.abort(), end.signal);
    return ticks.find(({ what }) => what)?.what;
  };
  expect([await told({}), await told({ sampler: "ddpm" })]).toEqual(["step 1 of 50", "step 1 of 250"]);
});

test("every step is told, for each batch of 16", async () => {
  const { ticks } = await ticksOf({ model: await diffusion(), count: 17, samplerSteps: 3 });
  const told = ticks.map(({ done, total, what = "begun" }) => `${done}/${total} ${what}`);
  expect(told).toEqual([
    "0/17 begun",
    ...[1, 2, 3].map((step) => `0/17 step ${step} of 3`),
    "16/17 pictures",
    ...[1, 2, 3].map((step) => `16/17 step ${step} of 3`),
    "17/17 pictures",
  ]);
  expect(ticks.at(-1)!.preview).toMatchObject({ width: 16, height: 16 });
});

test("a signal ends the work between two steps", async () => {
  const end = new AbortController();
  const model = await diffusion();
  const { ticks, error } = await ticksOf(
    { model, count: 40, samplerSteps: 40 },
    ({ what }) => what === "step 2 of 40" && end.abort(),
    end.signal,
  );
  expect(error).toBe(end.signal.reason);
  expect(ticks.length).toBeLessThan(8);
});

test("a GAN has no sampler and takes no steps", async () => {
  const gan = network(ganGenerator, { size: 8, channels: 1, latent: 3, hidden: [6] });
  const model = await fileOf(gan, { task: "generate", size: 8, channels: 1, latent: 3, classes: 0 });
  await expect(generate({ model, sampler: "ddpm" }, platform, cpu)).rejects.toThrow(
    /^sampler: expected none, since .* is no diffusion model, got ddpm\.$/,
  );
  await expect(generate({ model, samplerSteps: 9 }, platform, cpu)).rejects.toThrow(
    /^samplerSteps: expected none, since .* is no diffusion model, got 9\.$/,
  );
});

describe("closed forms", () => {
  const picture = 0.4; // of −1…1
  /** Finds the noise in a plain picture, whatever the time: it must be told the time that x has. */
  const seer = defineModel({
    name: "seer",
    summary: "finds the noise in one picture",
    paper: "none",
    options: z.object({}),
    input: () => [1, 1, 4, 4],
    given: () => ({ time: { shape: [1], dtype: "float32" as const } }),
    build(x, _, __, { time }) {
      const t = mul(reshape(time!, [-1, 1, 1, 1]), 1 / 1000);
      const alphaBar = exp(mul(add(mul(t, 0.1), mul(square(t), 9.95)), -1));
      return div(sub(x, mul(sqrt(alphaBar), picture)), sqrt(sub(1, alphaBar)));
    },
  });
  const made = network(seer);
  const of4 = { task: "generate", size: 4, channels: 1, latent: 16, classes: 0, diffusion: "noise" } as const;

  test.each([
    ["ddim", 1],
    ["ddim", 7],
    ["ddpm", 7],
  ] as const)("a network of perfect sight gives its picture: %s, %i steps", async (sampler, samplerSteps) => {
    const generator = await openDiffusion(modelOf(made, {}, of4, "seer"), referenceRuntime(), {
      sampler,
      samplerSteps,
    });
    const batch = await generator.run({ ...firstRows(16, 5, 3) });
    expect(batch.shape).toEqual([3, 1, 4, 4]);
    for (const value of floats(batch)) expect(value).toBeCloseTo(0.5 + picture / 2, 4);
    await generator.dispose();
  });
});
