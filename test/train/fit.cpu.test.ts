import { createHash } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import { patchSource } from "../../src/data/patchSource.ts";
import { compileStep, input } from "../../src/engine/index.ts";
import { createRuntime } from "../../src/engine/runtime/node.ts";
import { syntheticPhotograph } from "../../src/image/draw/synthetic.ts";
import { srcnn } from "../../src/models/srcnn.ts";
import { mse } from "../../src/nn/losses.ts";
import { initialWeights, network } from "../../src/nn/model.ts";
import { adam } from "../../src/nn/optimizers.ts";
import { cosineRate } from "../../src/nn/schedules.ts";
import { type FitPlan, fit } from "../../src/train/fit.ts";
import { openRun } from "../../src/train/run.ts";
import { bytesAt, collect, lineDescription, MemoryFiles, pictureWriter } from "./support.ts";

const runtime = createRuntime("cpu", { threads: 1 });
afterAll(() => runtime.dispose());

const pictures = ["a", "b", "c"].map((name, i) => ({
  name,
  picture: syntheticPhotograph({ width: 40 + i, height: 36, seed: i }),
}));
const reader = async (path: string) => pictures.find(({ name }) => name === path)!.picture;
const files = {
  size: async (path: string) => (await reader(path)).data.length,
  sha256: async (path: string) => createHash("sha256").update(path).digest("hex"),
};

/** A small SRCNN on luma, with Adam, a moving average and a rolling pool of pictures. */
async function plan(disk: MemoryFiles, resume: boolean, forget: readonly string[] = []): Promise<FitPlan> {
  const one = network(srcnn, { features: 6, mapped: 4, kernels: [3, 1, 3] });
  const weights = initialWeights([one], 5);
  for (const name of forget) weights[name]!.data.fill(0 as never);
  const [x, y] = [input("input", [4, 1, 16, 16]), input("target", [4, 1, 16, 16])];
  const source = await patchSource(
    {
      pictures: pictures.map(({ name }) => name),
      scale: 2,
      patch: 16,
      batch: 4,
      color: "y",
      input: "enlarged",
      seed: 5,
      augment: true,
      memory: 2 * 40 * 36 * 6 + 5000,
      visits: 10,
    },
    { read: reader, probe: reader, files },
  );
  expect(source.description.pool).toBe(1);
  return {
    stages: [
      {
        first: 1,
        last: 20,
        compile: (on) =>
          compileStep(
            {
              turns: { srcnn: { moves: ["srcnn"], loss: mse(one(x), y), optimizer: adam(), clipNorm: 1 } },
              ema: ["srcnn"],
            },
            { runtime: on, weights },
          ),
        shown: () => [],
        rate: cosineRate(1e-2, { steps: 20 }),
        emaDecay: () => 0.9,
      },
    ],
    source,
    steps: 20,
    every: { log: 4, save: 7 },
    run: await openRun("runs/a", lineDescription, { files: disk, resume, writePicture: pictureWriter(disk) }),
  };
}

/** Trains up to a step and stops there, as a user would with Ctrl-C. */
async function train(disk: MemoryFiles, stop?: number): Promise<number> {
  const end = new AbortController();
  const resume = disk.content.size > 0;
  const made = await plan(disk, resume);
  let last = 0;
  for await (const { step } of fit(made, { runtime, signal: end.signal })) {
    last = step;
    if (step === stop) end.abort();
  }
  await made.run.close();
  return last;
}

test("on the cpu runtime, 20 steps equal 10, stop, 10, bit for bit", async () => {
  const [whole, halves] = [new MemoryFiles(), new MemoryFiles()];
  expect(await train(whole)).toBe(20);
  expect(await train(halves, 10)).toBe(10);
  expect(halves.content.has("runs/a/weights.safetensors")).toBe(false);
  expect(await train(halves)).toBe(20);
  expect(bytesAt(halves, "weights.safetensors")).toBe(bytesAt(whole, "weights.safetensors"));
  expect(bytesAt(halves, "checkpoint.safetensors")).toBe(bytesAt(whole, "checkpoint.safetensors"));
});

test("the training learns what its last layer forgot", async () => {
  const made = await plan(new MemoryFiles(), false, ["srcnn/rebuild.weight"]);
  const ticks = await collect(fit(made, { runtime }));
  const mean = (from: number) => ticks.slice(from, from + 5).reduce((sum, tick) => sum + tick.losses.srcnn! / 5, 0);
  expect(mean(15)).toBeLessThan(mean(0) / 2);
});
