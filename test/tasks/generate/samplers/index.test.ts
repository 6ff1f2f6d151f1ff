import { describe, expect, test } from "vitest";
import type { NDArray } from "../../../../src/engine/graph/node.ts";
import { div, input, type Node, sqrt, sub } from "../../../../src/engine/index.ts";
import { evaluate } from "../../../../src/engine/runtime/evaluate.ts";
import { alphaBarAt } from "../../../../src/nn/noiseSchedule.ts";
import { ddim } from "../../../../src/tasks/generate/samplers/ddim.ts";
import { ddpm } from "../../../../src/tasks/generate/samplers/ddpm.ts";
import { samplers } from "../../../../src/tasks/generate/samplers/index.ts";
import type { Sampler } from "../../../../src/tasks/generate/samplers/sampler.ts";
import { random } from "../../../../src/tensor/random.ts";

/** The noise in x at ᾱ by a formula. */
type Epsilon = (x: Float64Array, alphaBar: number) => Float64Array;

interface Levels {
  readonly alphaBar: number;
  readonly alphaBarNext: number;
}

/** `next` of a sampler as a function of numbers, in float64. */
function stepOf({ next }: Sampler, length: number) {
  const leaf = (name: string, shape: readonly number[] = [length]): Node => input(name, shape);
  const [x, epsilon, z, alphaBar, alphaBarNext] = [leaf("x"), leaf("epsilon"), leaf("z"), leaf("alphaBar", []), leaf("next", [])] as const; // biome-ignore format: one line
  const made = next(x, epsilon, z, { alphaBar, alphaBarNext });
  return (state: Readonly<Record<"x" | "epsilon" | "z", Float64Array>>, levels: Levels): Float64Array => {
    const array = (data: Float64Array): NDArray => ({ shape: [length], data });
    const scalar = (value: number): NDArray => ({ shape: [], data: Float64Array.of(value) });
    const values = new Map([
      [x, array(state.x)],
      [epsilon, array(state.epsilon)],
      [z, array(state.z)],
      [alphaBar, scalar(levels.alphaBar)],
      [alphaBarNext, scalar(levels.alphaBarNext)],
    ]);
    return Float64Array.from(evaluate([made], values)[0]!.data);
  };
}

const normals = (length: number, ...words: (number | string)[]): Float64Array =>
  Float64Array.from({ length }, random(...words).normal);

/** The levels of a step of `steps` equal ones of time, from 1 to 0. */
const levelsOf = (at: number, steps: number): Levels => ({
  alphaBar: alphaBarAt(1 - at / steps),
  alphaBarNext: alphaBarAt(Math.max(0, 1 - (at + 1) / steps)),
});

/** From noise to pictures at equal steps of time from 1 to 0. */
function sampled(sampler: Sampler, epsilonOf: Epsilon, length: number, steps: number): Float64Array {
  const step = stepOf(sampler, length);
  let x = normals(length, "start");
  for (let at = 0; at < steps; at++) {
    const levels = levelsOf(at, steps);
    x = step({ x, epsilon: epsilonOf(x, levels.alphaBar), z: normals(length, "z", at) }, levels);
  }
  return x;
}

const deviationOf = (values: Float64Array): number => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
};

describe.each([1, 5, 50])("data that are one picture, %i steps", (steps) => {
  const picture = Float64Array.of(-1, -0.5, 0, 0.25, 1);
  const epsilonOf: Epsilon = (x, alphaBar) =>
    x.map((value, i) => (value - Math.sqrt(alphaBar) * picture[i]!) / Math.sqrt(1 - alphaBar));

  test.each(samplers)("$name gives the picture exactly", (sampler) => {
    const made = sampled(sampler, epsilonOf, picture.length, steps);
    for (const [i, value] of made.entries()) expect(Math.abs(value - picture[i]!)).toBeLessThan(1e-10);
  });
});

describe("data of a normal distribution", () => {
  const s = 0.2;
  /** The best estimate: E[ε | x] for data N(0, s²). */
  const epsilonOf: Epsilon = (x, alphaBar) =>
    x.map((value) => (value * Math.sqrt(1 - alphaBar)) / (alphaBar * s ** 2 + 1 - alphaBar));

  /** The deviation after all steps: a step is linear, x to A x + σ z, so that v becomes A² v + σ². */
  function exactDeviation(sampler: Sampler, steps: number): number {
    const step = stepOf(sampler, 2);
    const [unit, x, z] = [1e-3, Float64Array.of(1e-3, 0), Float64Array.of(0, 1e-3)]; // small, so that nothing is clipped
    let variance = 1;
    for (let at = 0; at < steps; at++) {
      const levels = levelsOf(at, steps);
      const [A, sigma] = step({ x, epsilon: epsilonOf(x, levels.alphaBar), z }, levels) as unknown as [number, number];
      variance = (A / unit) ** 2 * variance + (sigma / unit) ** 2;
    }
    return Math.sqrt(variance);
  }

  test.each([
    ["ddim", ddim, 200, 0.05],
    ["ddim", ddim, 1000, 0.01],
    ["ddpm", ddpm, 200, 0.08], // β̃ is the variance for data that are one picture, and too small for others where steps are few
    ["ddpm", ddpm, 1000, 0.02],
  ] as const)("%s ends with its standard deviation (%#)", (_, sampler, steps, most) => {
    expect(Math.abs(exactDeviation(sampler, steps) / s - 1)).toBeLessThan(most);
  });

  test.each(samplers)("$name: 4,000 numbers have it, too", (sampler) => {
    const [made, start] = [sampled(sampler, epsilonOf, 4000, 25), normals(4000, "start")];
    expect(Math.abs(deviationOf(made) / exactDeviation(sampler, 25) - 1)).toBeLessThan(0.03); // 1 / √8000 is 0.011
    const product = made.reduce((sum, value, i) => sum + value * start[i]!, 0) / 4000;
    const likeness = product / deviationOf(made) / deviationOf(start);
    if (sampler.isRandom) expect(Math.abs(likeness)).toBeLessThan(0.1);
    else expect(likeness).toBeGreaterThan(0.9999);
  });
});

describe("one step", () => {
  /** α̅ of step t and t − 1 of the schedule of Ho et al. 2020, and β of step t. */
  function discrete(t: number): Levels & { readonly beta: number } {
    let [alphaBar, alphaBarNext, beta] = [1, 1, 0];
    for (let i = 1; i <= t; i++) {
      beta = 1e-4 + ((0.02 - 1e-4) * (i - 1)) / 999;
      [alphaBarNext, alphaBar] = [alphaBar, alphaBar * (1 - beta)];
    }
    return { alphaBar, alphaBarNext, beta };
  }

  /** x₀ of three pixels, two of them inside −1…1, and x at a level with the noise that makes it of them. */
  const picture = [-0.8, 0.3, 0.9];
  const noise = [1.5, -0.2, 0.7];
  const xAt = (alphaBar: number): Float64Array =>
    Float64Array.from(picture, (value, i) => value * Math.sqrt(alphaBar) + noise[i]! * Math.sqrt(1 - alphaBar));
  const stepped = (sampler: Sampler, levels: Levels, z: number): Float64Array =>
    stepOf(sampler, 3)(
      { x: xAt(levels.alphaBar), epsilon: Float64Array.from(noise), z: new Float64Array(3).fill(z) },
      levels,
    );

  test.each([2, 10, 300, 700, 1000])("ddpm has mean and variance of equation 7 at t = %i", (t) => {
    const { alphaBar, alphaBarNext, beta } = discrete(t);
    const [still, moved] = [0, 1].map((z) => stepped(ddpm, { alphaBar, alphaBarNext }, z)) as [Float64Array, Float64Array]; // biome-ignore format: one line
    const x = xAt(alphaBar);
    const variance = ((1 - alphaBarNext) / (1 - alphaBar)) * beta; // β̃
    for (const [i, value] of picture.entries()) {
      const ofPicture = (Math.sqrt(alphaBarNext) * beta) / (1 - alphaBar);
      const ofNoisy = (Math.sqrt(1 - beta) * (1 - alphaBarNext)) / (1 - alphaBar);
      expect(Math.abs(still[i]! - (ofPicture * value + ofNoisy * x[i]!))).toBeLessThan(1e-11);
      expect(Math.abs((moved[i]! - still[i]!) ** 2 / variance - 1)).toBeLessThan(1e-9);
    }
  });

  test("ddim goes to the same picture at the next level, with the same noise, and reads no other", () => {
    const levels = { alphaBar: 0.3, alphaBarNext: 0.5 };
    const made = stepped(ddim, levels, 7);
    const wanted = xAt(levels.alphaBarNext);
    for (const [i, value] of made.entries()) expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-12);
    expect([ddim.isRandom, ddpm.isRandom]).toEqual([false, true]);
  });

  test("the last step adds nothing to the picture", () => {
    for (const sampler of samplers)
      for (const [i, value] of stepped(sampler, { alphaBar: 0.99, alphaBarNext: 1 }, 3).entries())
        expect(Math.abs(value - picture[i]!)).toBeLessThan(1e-10);
  });

  test("a picture outside of −1…1 is brought back, and the noise with it", () => {
    const [alphaBar, alphaBarNext, x] = [0.4, 0.7, 2];
    const made = stepOf(ddim, 1)(
      { x: Float64Array.of(x), epsilon: Float64Array.of(0), z: Float64Array.of(0) },
      { alphaBar, alphaBarNext },
    );
    const again = (x - Math.sqrt(alphaBar)) / Math.sqrt(1 - alphaBar); // x / √ᾱ is 3.2: 1 is kept
    expect(made[0]).toBeCloseTo(Math.sqrt(alphaBarNext) + again * Math.sqrt(1 - alphaBarNext), 12);
  });

  test("a network of perfect sight, as nodes", () => {
    const [x, alphaBar, alphaBarNext] = [input("x", [2]), input("alphaBar", []), input("next", [])];
    const epsilon = div(x, sqrt(sub(1, alphaBar))); // all of x is noise
    const next = ddim.next(x, epsilon, x, { alphaBar, alphaBarNext });
    const values = new Map<Node, NDArray>([
      [x, { shape: [2], data: Float64Array.of(0.6, -1.2) }],
      [alphaBar, { shape: [], data: Float64Array.of(0.64) }],
      [alphaBarNext, { shape: [], data: Float64Array.of(0.91) }],
    ]);
    const made = Array.from(evaluate([next], values)[0]!.data);
    expect(made[0]).toBeCloseTo(0.3, 12); // 0.6 / 0.6 · 0.3
    expect(made[1]).toBeCloseTo(-0.6, 12);
  });
});
