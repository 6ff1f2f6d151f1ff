import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { InputAttributes } from "../../src/engine/graph/leaf.ts";
import { compileStep, type Program, type Runtime, type Tensors } from "../../src/engine/index.ts";
import { createRuntime } from "../../src/engine/runtime/node.ts";
import type { Network } from "../../src/nn/model.ts";
import { recipes } from "../../src/recipes/index.ts";
import type { StepWork } from "../../src/tasks/bench/workload.ts";
import { type Shape, type Tensor, tensor } from "../../src/tensor/tensor.ts";
import { openRecipe } from "../../src/train/step.ts";
import { drawn } from "../fixtures/drawn.ts";

/** Losses of whole steps in PyTorch, discriminator's and generator's, by test/fixtures/gans.py. */
interface Twin {
  readonly recipe: string;
  readonly options: Readonly<Record<string, number>>;
  readonly losses: readonly (readonly [discriminator: number, generator: number])[];
}

export const twins: Readonly<Record<string, Twin>> = JSON.parse(
  readFileSync(new URL("../fixtures/golden/gans.json", import.meta.url), "utf8"),
);

export const formula = (name: string, shape: Shape, of: (u: number) => number): Tensor =>
  tensor(new Float32Array(drawn(name, shape).map(of)), shape);

/** Numbers of mean 0 and variance 1. */
const spread = (u: number): number => (2 * u - 1) * Math.sqrt(3);

/** Weights that are drawn normally keep their scale, all others come near their first value, or 0. */
export function firstWeights(networks: readonly Network[]): Tensors {
  const all = networks.flatMap((one) => one.parameters().map((parameter) => ({ parameter, key: one.key })));
  return Object.fromEntries(
    all.map(({ key, parameter: { attributes, shape } }) => {
      const { initializer } = attributes;
      const name = `${key}/${attributes.name}`;
      const near = initializer.kind === "constant" ? initializer.value : 0;
      const of = (u: number): number =>
        initializer.kind === "normal" ? initializer.std * spread(u) : near + 0.2 * u - 0.1;
      return [name, formula(name, shape, of)];
    }),
  );
}

/** Calls are counted from 0 in the twins; a recipe calls its generator once before the step, to know its parameters. */
const twinName = (name: string): string =>
  name.replace(/^(generator\/.*#)(\d+)$/, (_, noise: string, call: string) => `${noise}${Number(call) - 1}`);

/** A runtime that is fed noise of the formula in place of its own. */
function withNoise(runtime: Runtime): Runtime {
  const noiseOf = ({ inputs }: Program, step: number): Tensors =>
    Object.fromEntries(
      inputs.flatMap(({ attributes, shape }) => {
        const { name, noise } = attributes as InputAttributes;
        return noise
          ? [[name, formula(`${twinName(name)} ${step}`, shape, noise === "normal" ? spread : (u) => u)]]
          : [];
      }),
    );
  return {
    ...runtime,
    async load(program, state) {
      const loaded = await runtime.load(program, state);
      let step = 0;
      return { ...loaded, run: (feeds, fetch) => loaded.run({ ...feeds, ...noiseOf(program, ++step) }, fetch) };
    },
  };
}

/** Takes steps on weights, noise and inputs of the formula, and gives what each reports. */
export async function takeSteps(
  { networks, plan, numbers }: StepWork,
  runtime: Runtime,
  count: number,
): Promise<Record<string, number>[]> {
  const step = await compileStep(plan, { runtime: withNoise(runtime), weights: firstWeights(networks) });
  const feeds = Object.fromEntries(
    Object.entries(step.inputs).map(([name, shape]) => [name, formula(name, shape, (u) => u)]),
  );
  const made = [];
  for (let at = 1; at <= count; at++) made.push((await step.run(feeds, numbers(at))).losses);
  return made;
}

/** Takes the steps of a twin and compares every loss. */
export async function compareTwin({ recipe: name, options, losses }: Twin): Promise<void> {
  const runtime = createRuntime("cpu", { threads: 1 });
  try {
    const recipe = recipes.find((one) => one.name === name)!;
    const [stage] = openRecipe(recipe, { options: recipe.options.parse(options), steps: 3 }).stages;
    const numbers = (step: number) => ({ step, learningRate: stage.rate(step), emaDecay: 0.5 });
    const plan = stage.plan();
    const made = await takeSteps({ networks: stage.networks(), plan, numbers }, runtime, losses.length);
    for (const [at, [discriminator, generator]] of losses.entries())
      for (const [key, value] of Object.entries({ discriminator, generator }))
        expect(Math.abs(made[at]![key]! - value), `${key} loss of step ${at + 1}: ${made[at]![key]}, PyTorch ${value}`).toBeLessThan(1e-3 * Math.max(1, value)); // biome-ignore format: one line
  } finally {
    await runtime.dispose();
  }
}
