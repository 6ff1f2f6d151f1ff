import { z } from "zod";
import {
  add,
  compileStep,
  input,
  leakyRelu,
  matmul,
  type Runtime,
  type Step,
  stopGradient,
  type Tensors,
  tanh as tanhOf,
} from "../../src/engine/index.ts";
import { normal, zeros } from "../../src/nn/initializers.ts";
import { linear } from "../../src/nn/layers.ts";
import { logistic } from "../../src/nn/losses.ts";
import { defineModel, initialWeights, type Network, network } from "../../src/nn/model.ts";
import { batchNorm, spectralNorm } from "../../src/nn/norms.ts";
import { adam, sgd } from "../../src/nn/optimizers.ts";

/**
 * A small adversarial pair twice: as this library builds and steps it, and by hand in float64 with nothing of the
 * engine: plain loops forward, central differences for gradients, in the order of PyTorch code.
 */
export const BATCH = 5;

const model = (name: string, width: number, build: Parameters<typeof defineModel>[0]["build"]): Network =>
  network(
    defineModel({ name, summary: "", paper: "", options: z.object({}), input: () => [BATCH, width], build }),
    {},
    name,
  );

/** The pair compiled into one step, and the first weights. Whether the discriminator's loss sees a detached copy must not matter. */
export async function compileGan(
  runtime: Runtime,
  isDetached = true,
): Promise<{ readonly step: Step; readonly weights: Tensors }> {
  const generator = model("generator", 2, (x, p) =>
    tanhOf(batchNorm(linear(x, p("in"), { out: 3, initializer: normal(0.7) }), p("norm"))),
  );
  const discriminator = model("discriminator", 3, (x, p) => {
    const first = spectralNorm(p.weight("first", [4, 3], normal(1)), p("spectral"));
    const h = leakyRelu(add(matmul(x, first, { transposeB: true }), p.weight("shift", [4], normal(0.5))), 0.2);
    const y = matmul(h, p.weight("second", [3, 4], normal(0.7)), { transposeB: true });
    return linear(leakyRelu(batchNorm(y, p("norm")), 0.2), p("score"), { out: 1, biasInitializer: zeros });
  });
  const training = { training: true };
  const fake = generator(input("z", [BATCH, 2]), training);
  const judged = discriminator(input("real", [BATCH, 3]), training);
  const judging = add(
    logistic(judged, true),
    logistic(discriminator(isDetached ? stopGradient(fake) : fake, training), false),
  );
  const fooling = logistic(discriminator(fake, training), true);
  const weights = initialWeights([generator, discriminator], 3);
  const step = await compileStep(
    {
      turns: {
        discriminator: { moves: ["discriminator"], loss: judging, optimizer: adam({ beta1: 0.5, epsilon: 1e-3 }) },
        generator: { moves: ["generator"], loss: fooling, optimizer: sgd({ momentum: 0.9 }) },
      },
      carried: [...generator.carried, ...discriminator.carried],
    },
    { runtime, weights },
  );
  return { step, weights };
}

type Vector = number[];
type Matrix = Vector[];
type Values = Record<string, Vector>;

const columns = (x: Matrix): Matrix => x[0]!.map((_, at) => x.map((row) => row[at]!));
const dot = (a: Vector, b: Vector): number => a.reduce((total, value, at) => total + value * b[at]!, 0);
const average = (values: Vector): number => values.reduce((a, b) => a + b) / values.length;
const unit = (values: Vector): Vector => values.map((value) => value / Math.hypot(...values));
const rowsOf = (flat: Vector, width: number): Matrix =>
  Array.from({ length: flat.length / width }, (_, row) => flat.slice(row * width, (row + 1) * width));
/** x Wᵀ + b. */
const affine = (x: Matrix, w: Vector, b: Vector): Matrix =>
  x.map((row) => rowsOf(w, row.length).map((weights, out) => dot(weights, row) + b[out]!));
const leaky = (x: Matrix): Matrix => x.map((row) => row.map((value) => (value > 0 ? value : 0.2 * value)));
const softplus = (x: number): number => Math.log(1 + Math.exp(x));

/** Mean and variance (1/N) of every column. */
const moments = (x: Matrix): { mean: Vector; variance: Vector } => {
  const mean = columns(x).map(average);
  return { mean, variance: columns(x).map((column, at) => average(column.map((value) => (value - mean[at]!) ** 2))) };
};

function normalize(x: Matrix, gain: Vector, shift: Vector): Matrix {
  const { mean, variance } = moments(x);
  return x.map((row) => row.map((v, at) => ((v - mean[at]!) / Math.sqrt(variance[at]! + 1e-5)) * gain[at]! + shift[at]!)); // biome-ignore format: one formula
}

/** The pair and its optimizers by hand; `state` is named as `Step.read` names it, without the prefix. */
export class ByHand {
  readonly state: Values;
  readonly #m: Values = {};
  readonly #v: Values = {};
  readonly #velocity: Values = {};

  constructor(weights: Tensors) {
    this.state = Object.fromEntries(
      Object.entries(weights).map(([key, { data }]) => [key, Array.from(data as Float32Array)]),
    );
  }

  #hidden(z: Matrix): Matrix {
    return affine(z, this.state["generator/in.weight"]!, this.state["generator/in.bias"]!);
  }

  #fake(z: Matrix): Matrix {
    const { "generator/norm.weight": gain, "generator/norm.bias": shift } = this.state;
    return normalize(this.#hidden(z), gain!, shift!).map((row) => row.map(Math.tanh));
  }

  /** What the discriminator's norm sees; u and v are constants of the gradient, as in PyTorch. */
  #judged(x: Matrix, [u, v]: readonly [Vector, Vector]): Matrix {
    const first = this.state["discriminator/first"]!;
    const sigma = dot(u, affine([v], first, u.map(() => 0))[0]!); // biome-ignore format: one formula
    const spectral = first.map((value) => value / sigma);
    const h = leaky(affine(x, spectral, this.state["discriminator/shift"]!));
    return affine(h, this.state["discriminator/second"]!, [0, 0, 0]);
  }

  #scores(x: Matrix, uv: readonly [Vector, Vector]): Vector {
    const { "discriminator/norm.weight": gain, "discriminator/norm.bias": shift } = this.state;
    const y = leaky(normalize(this.#judged(x, uv), gain!, shift!));
    return affine(y, this.state["discriminator/score.weight"]!, this.state["discriminator/score.bias"]!).map(
      ([score]) => score!,
    );
  }

  /** One power iteration; moves u. The weights are the same for all calls of one loss, and so is the iteration. */
  #iterate(): readonly [Vector, Vector] {
    const first = rowsOf(this.state["discriminator/first"]!, 3);
    const v = unit(columns(first).map((column) => dot(column, this.state["discriminator/spectral.u"]!)));
    const u = unit(first.map((row) => dot(row, v)));
    this.state["discriminator/spectral.u"] = u;
    return [u, v];
  }

  #follow(network: string, seen: Matrix): void {
    const { mean, variance } = moments(seen);
    const unbiased = variance.map((value) => (value * BATCH) / (BATCH - 1));
    for (const [name, toward] of [["running_mean", mean], ["running_var", unbiased]] as const) // biome-ignore format: one line
      this.state[`${network}/norm.${name}`] = this.state[`${network}/norm.${name}`]!.map(
        (value, at) => 0.9 * value + 0.1 * toward[at]!,
      );
  }

  /** Gradients of a loss with respect to all weights of a network, by central differences. */
  #gradients(network: string, loss: () => number): Values {
    const names = Object.keys(this.state).filter((name) => name.startsWith(network) && !/running|spectral/.test(name));
    const at = (values: Vector, place: number, value: number): number => {
      values[place] = value;
      return loss();
    };
    return Object.fromEntries(
      names.map((name) => {
        const values = this.state[name]!;
        const slope = values.map((value, place) => {
          const difference = at(values, place, value + 1e-5) - at(values, place, value - 1e-5);
          values[place] = value;
          return difference / 2e-5;
        });
        return [name, slope];
      }),
    );
  }

  #adam(gradients: Values, step: number, rate: number): void {
    for (const [name, g] of Object.entries(gradients)) {
      this.#m[name] = g.map((value, at) => 0.5 * (this.#m[name]?.[at] ?? 0) + 0.5 * value);
      this.#v[name] = g.map((value, at) => 0.999 * (this.#v[name]?.[at] ?? 0) + 0.001 * value ** 2);
      this.state[name] = this.state[name]!.map((value, at) => {
        const [m, v] = [this.#m[name]![at]! / (1 - 0.5 ** step), this.#v[name]![at]! / (1 - 0.999 ** step)];
        return value - (rate * m) / (Math.sqrt(v) + 1e-3);
      });
    }
  }

  #sgd(gradients: Values, rate: number): void {
    for (const [name, g] of Object.entries(gradients)) {
      this.#velocity[name] = g.map((value, at) => 0.9 * (this.#velocity[name]?.[at] ?? 0) + value);
      this.state[name] = this.state[name]!.map((value, at) => value - rate * this.#velocity[name]![at]!);
    }
  }

  /** The two losses of one step. */
  run(
    z: Matrix,
    real: Matrix,
    step: number,
    rates: { discriminator: number; generator: number },
  ): Record<string, number> {
    // The discriminator learns from a detached fake.
    const fake = this.#fake(z);
    this.#follow("generator", this.#hidden(z));
    const old = this.#iterate();
    const forDiscriminator = (): number =>
      average(this.#scores(real, old).map((score) => softplus(-score))) +
      average(this.#scores(fake, old).map(softplus));
    const discriminator = forDiscriminator();
    for (const seen of [real, fake]) this.#follow("discriminator", this.#judged(seen, old));
    this.#adam(this.#gradients("discriminator", forDiscriminator), step, rates.discriminator);
    // The generator is judged by the discriminator that has moved.
    const moved = this.#iterate();
    const forGenerator = (): number => average(this.#scores(this.#fake(z), moved).map((score) => softplus(-score)));
    const generator = forGenerator();
    this.#follow("discriminator", this.#judged(fake, moved));
    this.#sgd(this.#gradients("generator", forGenerator), rates.generator);
    return { discriminator, generator };
  }
}
