import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { compileFunction, input } from "../../src/engine/index.ts";
import { createRuntime } from "../../src/engine/runtime/node.ts";
import type { StepWork } from "../../src/tasks/bench/workload.ts";
import { findRecipe } from "../../src/tasks/train/options.ts";
import { floats, tensor } from "../../src/tensor/tensor.ts";
import { openRecipe } from "../../src/train/step.ts";
import { firstWeights, formula, takeSteps } from "./twins.ts";

/** What PyTorch makes of the same weights, pictures and noise, by test/fixtures/unets.py. */
interface Golden {
  readonly work: "pix2pix" | "diffusion";
  readonly options: object;
  /** Every 97th number of what the first network makes of the first input, at time 500 where it has a time. */
  readonly made: readonly number[];
  readonly losses: readonly Readonly<Record<string, number>>[];
}

const golden: Readonly<Record<string, Golden>> = JSON.parse(
  readFileSync(new URL("../fixtures/golden/unets.json", import.meta.url), "utf8"),
);

/** The recipe's step; early in a run, where the twin's rate is its own. */
function open({ work, options }: Golden): StepWork {
  const recipe = findRecipe(work === "pix2pix" ? "pix2pix" : "ddpm");
  const more = work === "pix2pix" ? {} : { learningRate: 2e-4, warmUp: 1, ema: 0 };
  const [stage] = openRecipe(recipe, { options: recipe.options.parse({ ...options, ...more }), steps: 1000 }).stages;
  const numbers = (step: number) => ({ step, learningRate: stage.rate(step) });
  return { networks: stage.networks(), plan: stage.plan(), numbers };
}

const runtime = createRuntime("cpu", { threads: 1 });
afterAll(() => runtime.dispose());

describe.each(Object.entries(golden))("%s", (_, one) => {
  test("makes the numbers that PyTorch makes", async () => {
    const [net] = open(one).networks as [StepWork["networks"][0]];
    const { size, batch } = one.options as { size: number; batch: number };
    const shape = [batch, 3, size, size];
    const isDiffusion = one.work === "diffusion";
    const y = net(input("x", shape), { given: isDiffusion ? { time: input("time", [batch]) } : {} });
    const compiled = await compileFunction({ y }, { runtime, weights: firstWeights([net]) });
    const x = formula(isDiffusion ? "image" : "source", shape, (u) => u);
    const made = await compiled.run({ x, ...(isDiffusion && { time: tensor(new Float32Array(batch).fill(500), [batch]) }) }); // biome-ignore format: one line
    const kept = [...floats(made.y!)].filter((_, at) => at % 97 === 0);
    expect(kept).toEqual(one.made.map((value) => expect.closeTo(value, 5)));
  });

  test("takes the three steps that PyTorch takes", async () => {
    const made = await takeSteps(open(one), runtime, one.losses.length);
    for (const [at, losses] of one.losses.entries())
      for (const [key, value] of Object.entries(losses))
        expect(Math.abs(made[at]![key]! - value) / value, `${key} loss of step ${at + 1}`).toBeLessThan(2e-5);
  });
});
