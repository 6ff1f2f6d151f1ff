import { compileLoop, expand, input, type Loop, mul, type Runtime, type Tensors } from "../../engine/index.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import { alphaBarAt } from "../../nn/noiseSchedule.ts";
import type { UseOf } from "../../nn/use.ts";
import { random } from "../../tensor/random.ts";
import { floats, type Tensor, tensor } from "../../tensor/tensor.ts";
import {
  type Generator,
  networkOf,
  type RowNoise,
  type Rows,
  type RunHooks,
  rowsBetween,
  type Sampling,
} from "./generator.ts";
import { samplers } from "./samplers/index.ts";
import type { Sampler } from "./samplers/sampler.ts";

/** Pictures that are made at a time; each is made in a batch of the same size, so its neighbors change nothing. */
const AT_ONCE = 16;

const scalar = (value: number): Tensor => tensor(new Float32Array([value]), []);

/**
 * A diffusion model as a generator: a picture's code is the noise that it begins with, [C · S · S], and the picture
 * stays with the runtime until the last step.
 * @throws UserError where the model is known as a graph only
 */
export async function openDiffusion(
  model: LoadedModel<UseOf<"generate">>,
  runtime: Runtime,
  { sampler: name, samplerSteps }: Sampling = {},
): Promise<Generator> {
  const { size, channels } = model.usage;
  const sampler: Sampler = samplers.find((one) => one.name === name) ?? samplers[0];
  const steps = samplerSteps ?? sampler.steps;
  const shape = [AT_ONCE, channels, size, size];
  const loop = await compileSampler(model, runtime, { sampler, shape });
  const width = channels * size ** 2;
  const make = async (rows: Rows, { signal, onStep }: RunHooks): Promise<Float32Array> => {
    const start = zeros(shape);
    floats(start).set(floats(rows.codes));
    await loop.write({ x: start });
    for (let step = 0; step < steps; step++) {
      signal?.throwIfAborted();
      const feeds = numbersOf(step, steps);
      await loop.run(sampler.isRandom ? { ...feeds, z: drawn(rows.noise, step, shape) } : feeds, []);
      onStep?.(step + 1, steps);
    }
    return floats((await loop.read()).x!).map((value) => Math.min(1, Math.max(0, value / 2 + 0.5)));
  };
  return {
    batch: AT_ONCE,
    async run(rows, hooks = {}) {
      const count = rows.codes.shape[0]!;
      const all = new Float32Array(count * width);
      for (let from = 0; from < count; from += AT_ONCE) {
        const to = Math.min(count, from + AT_ONCE);
        all.set((await make(rowsBetween(rows, from, to), hooks)).subarray(0, (to - from) * width), from * width);
      }
      return tensor(all, [count, channels, size, size]);
    },
    dispose: () => loop.dispose(),
  };
}

interface Sampled {
  readonly sampler: Sampler;
  readonly shape: readonly number[];
}

/** One step of a sampler as a loop over x, fed with the time and its noise levels. */
function compileSampler(
  model: LoadedModel<UseOf<"generate">>,
  runtime: Runtime,
  { sampler, shape }: Sampled,
): Promise<Loop> {
  const network = networkOf(model);
  const [x, z] = [input("x", shape), input("z", shape)];
  const [time, alphaBar, alphaBarNext] = ["time", "alphaBar", "alphaBarNext"].map((name) => input(name, [])) as Scalars;
  const epsilon = network(x, { given: { time: expand(mul(time, 1000), [shape[0]!]) } });
  const next = sampler.next(x, epsilon, z, { alphaBar, alphaBarNext });
  return compileLoop({ x: { leaf: x, next } }, { runtime, weights: model.weights, start: { x: zeros(shape) } });
}

type Scalars = [time: ReturnType<typeof input>, alphaBar: ReturnType<typeof input>, next: ReturnType<typeof input>];

const zeros = (shape: readonly number[]): Tensor => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);

/** The time of a step and the noise levels of it and of the next one; times fall from 1 in equal steps. */
function numbersOf(step: number, steps: number): Tensors {
  const [time, next] = [1 - step / steps, 1 - (step + 1) / steps];
  return {
    time: scalar(time),
    alphaBar: scalar(alphaBarAt(time)),
    alphaBarNext: scalar(alphaBarAt(Math.max(0, next))),
  };
}

/** The noise that a step adds: of each picture its own, whatever is made beside it. */
function drawn({ seed, of }: RowNoise, step: number, shape: readonly number[]): Tensor {
  const all = zeros(shape);
  const [values, width] = [floats(all), floats(all).length / shape[0]!];
  for (let n = 0; n < shape[0]!; n++) {
    const { normal } = random(seed, "sampler", of[n] ?? 0, step);
    for (let i = 0; i < width; i++) values[n * width + i] = normal();
  }
  return all;
}
