import { add, div, mul, type Node, type Optimizer, sqrt, square, sub } from "../engine/index.ts";

export interface SgdOptions {
  readonly momentum?: number;
  readonly nesterov?: boolean;
  /** L2 penalty added to the gradient, as PyTorch's `weight_decay`. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent as PyTorch has it: v ← momentum·v + g (v starts as 0), w ← w − rate · v (or g +
 * momentum·v with Nesterov).
 */
export function sgd({ momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions = {}): Optimizer {
  return {
    name: "sgd",
    slots: momentum === 0 ? [] : ["velocity"],
    scalars: (_, learningRate) => ({ rate: learningRate }),
    update(weights, gradient, [velocity], { rate }) {
      const g = weightDecay === 0 ? gradient : add(gradient, mul(weights, weightDecay));
      if (!velocity) return { weights: sub(weights, mul(g, rate!)), slots: [] };
      const v = add(mul(velocity, momentum), g);
      const move = nesterov ? add(g, mul(v, momentum)) : v;
      return { weights: sub(weights, mul(move, rate!)), slots: [v] };
    },
  };
}

export interface AdamOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
}

/**
 * m ← m + (1 − β₁)(g − m), v ← β₂ v + (1 − β₂) g², and the step m · size / (√v + ε′), bias corrections folded into size
 * and ε′.
 */
function moments(
  gradient: Node,
  slots: readonly Node[],
  { size, epsilon }: Readonly<Record<string, Node>>,
  beta1: number,
  beta2: number,
) {
  const [m, v] = slots as readonly [Node, Node];
  const first = add(m, mul(sub(gradient, m), 1 - beta1));
  const second = add(mul(v, beta2), mul(square(gradient), 1 - beta2));
  return { first, second, move: div(mul(first, size!), add(sqrt(second), epsilon!)) };
}

const adamScalars =
  (beta1: number, beta2: number, epsilon: number) =>
  (step: number, learningRate: number): { size: number; epsilon: number; rate: number } => {
    const root = Math.sqrt(1 - beta2 ** step);
    return { size: (learningRate * root) / (1 - beta1 ** step), epsilon: epsilon * root, rate: learningRate };
  };

/**
 * Adam, Kingma & Ba 2015, https://arxiv.org/abs/1412.6980, algorithm 1; ε stands outside the root as in PyTorch.
 * `weightDecay` is an L2 penalty added to the gradient.
 */
export function adam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 }: AdamOptions = {}): Optimizer {
  const scalars = adamScalars(beta1, beta2, epsilon);
  return {
    name: "adam",
    slots: ["m", "v"],
    scalars: (step, learningRate) => {
      const { size, epsilon } = scalars(step, learningRate);
      return { size, epsilon };
    },
    update(weights, gradient, slots, numbers) {
      const g = weightDecay === 0 ? gradient : add(gradient, mul(weights, weightDecay));
      const { first, second, move } = moments(g, slots, numbers, beta1, beta2);
      return { weights: sub(weights, move), slots: [first, second] };
    },
  };
}

/**
 * AdamW, Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101: weights also shrink by rate · weightDecay, apart
 * from the moments.
 */
export function adamW({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 }: AdamOptions = {}): Optimizer {
  return {
    name: "adamW",
    slots: ["m", "v"],
    scalars: adamScalars(beta1, beta2, epsilon),
    update(weights, gradient, slots, numbers) {
      const { first, second, move } = moments(gradient, slots, numbers, beta1, beta2);
      const shrunk = sub(weights, mul(weights, mul(numbers.rate!, weightDecay)));
      return { weights: sub(shrunk, move), slots: [first, second] };
    },
  };
}
