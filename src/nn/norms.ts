import {
  add,
  div,
  gather,
  type Initializer,
  matmul,
  mean,
  mul,
  type Node,
  neg,
  reshape,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
} from "../engine/index.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { normal, ones, zeros } from "./initializers.ts";
import type { Parameters } from "./model.ts";
import { runningAverage } from "./runningAverage.ts";

/** x − mean, and what brings it to the variance 1: 1 / √(variance of the population (1/N) + ε), over the given axes. */
function statistics(x: Node, axes: readonly number[], epsilon: number) {
  const center = mean(x, axes, true);
  const spread = sub(x, center);
  const variance = mean(square(spread), axes, true);
  return { spread, rate: div(1, sqrt(add(variance, epsilon))), mean: center, variance };
}

/** A gain and a shift that broadcast with what they work on. */
interface Affine {
  readonly gain: Node;
  readonly shift: Node;
}

/**
 * spread · rate · gain + shift. The small factors are multiplied first, so that few passes go over the large one, here
 * and in gradients.
 */
const scaled = ({ spread, rate }: { spread: Node; rate: Node }, affine: Affine | undefined): Node =>
  affine ? add(mul(spread, mul(rate, affine.gain)), affine.shift) : mul(spread, rate);

/** A learned gain and shift, "weight" and "bias", one number each per channel, in the given shape. */
const affineOf = (p: Parameters, channels: number, shape: readonly number[]): Affine => ({
  gain: reshape(p.weight("weight", [channels], ones), shape),
  shift: reshape(p.weight("bias", [channels], zeros), shape),
});

/** The shape of one number per channel that broadcasts over [N, C, …]. */
const channelShape = ({ shape }: Node): number[] => [1, shape[1]!, ...shape.slice(2).map(() => 1)];

export interface BatchNormOptions {
  readonly epsilon?: number;
  /** Share of the new value in the running statistics (PyTorch's convention; ONNX has 1 − this). */
  readonly momentum?: number;
  readonly affine?: boolean;
}

/**
 * Batch normalization of [N, C, …] by channel, Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167. Training uses
 * the batch's statistics (variance 1/N) and lets "running_mean" and "running_var" (variance 1/(N−1)) follow; otherwise
 * the running ones are used.
 */
export function batchNorm(x: Node, p: Parameters, options: BatchNormOptions = {}): Node {
  const { affine = true, ...rest } = options;
  return p.within("batchNorm", () => {
    const learned = affine ? affineOf(p, x.shape[1]!, channelShape(x)) : undefined;
    return normalizeBatch(x, p, learned, rest);
  });
}

/** Batch normalization by this batch in training, else by the running statistics. */
function normalizeBatch(
  x: Node,
  p: Parameters,
  affine: Affine | undefined,
  { epsilon = 1e-5, momentum = 0.1 }: BatchNormOptions,
): Node {
  const channels = x.shape[1]!;
  const runningMean = p.statistic("running_mean", [channels], zeros);
  const runningVariance = p.statistic("running_var", [channels], ones);
  if (!p.training) {
    const shape = channelShape(x);
    const rate = div(1, sqrt(add(reshape(runningVariance, shape), epsilon)));
    const factor = affine ? mul(rate, affine.gain) : rate;
    const offset = mul(reshape(runningMean, shape), factor);
    return add(mul(x, factor), affine ? sub(affine.shift, offset) : neg(offset)); // numbers that a convolution takes in
  }
  const axes = [...x.shape.keys()].filter((axis) => axis !== 1);
  const { spread, rate, mean, variance } = statistics(x, axes, epsilon);
  const count = sizeOf(x.shape) / channels;
  const flat = (value: Node): Node => stopGradient(reshape(value, [channels]));
  p.carry(runningAverage({ parameter: runningMean, toward: flat(mean), from: mean, momentum }));
  const unbiased = mul(flat(variance), count / Math.max(1, count - 1));
  p.carry(runningAverage({ parameter: runningVariance, toward: unbiased, from: variance, momentum }));
  return scaled({ spread, rate }, affine);
}

/**
 * Batch normalization of [N, C, …] with a gain and a shift of each class's own, "gain" and "shift" [classes, C].
 * Dumoulin et al. 2017, https://arxiv.org/abs/1610.07629. @param label class numbers, int64 [N]
 */
export const classBatchNorm = (x: Node, p: Parameters, label: Node, classes: number): Node =>
  p.within("classBatchNorm", () => {
    const channels = x.shape[1]!;
    const shape = channelShape(x).with(0, x.shape[0]!);
    const chosen = (name: string, first: Initializer): Node =>
      reshape(gather(p.weight(name, [classes, channels], first), label), shape);
    return normalizeBatch(x, p, { gain: chosen("gain", ones), shift: chosen("shift", zeros) }, {});
  });

export interface NormOptions {
  readonly epsilon?: number;
  readonly affine?: boolean;
}

/**
 * Instance normalization of [N, C, H, W]: each picture's channels by themselves. Ulyanov et al. 2016,
 * https://arxiv.org/abs/1607.08022.
 */
export const instanceNorm = (x: Node, p: Parameters, { epsilon = 1e-5, affine = false }: NormOptions = {}): Node =>
  p.within("instanceNorm", () => {
    const learned = affine ? affineOf(p, x.shape[1]!, channelShape(x)) : undefined;
    return scaled(statistics(x, [2, 3], epsilon), learned);
  });

/**
 * Group normalization of [N, C, H, W] in `groups` groups of channels. Wu & He 2018, https://arxiv.org/abs/1803.08494.
 */
export const groupNorm = (
  x: Node,
  p: Parameters,
  { groups, epsilon = 1e-5, affine = true }: NormOptions & { readonly groups: number },
): Node =>
  p.within("groupNorm", () => {
    const [batch, channels] = x.shape as readonly [number, number];
    const grouped = reshape(x, [batch, groups, channels / groups, -1]);
    const learned = affine ? affineOf(p, channels, [1, groups, channels / groups, 1]) : undefined;
    return reshape(scaled(statistics(grouped, [2, 3], epsilon), learned), x.shape);
  });

/** Layer normalization over the last axis. Ba et al. 2016, https://arxiv.org/abs/1607.06450. */
export const layerNorm = (x: Node, p: Parameters, { epsilon = 1e-5, affine = true }: NormOptions = {}): Node =>
  p.within("layerNorm", () => {
    const last = x.shape.length - 1;
    const width = x.shape[last]!;
    return scaled(statistics(x, [last], epsilon), affine ? affineOf(p, width, [width]) : undefined);
  });

const unit = (v: Node): Node => div(v, add(sqrt(sum(square(v))), 1e-12));

/**
 * A weight divided by an estimate of its largest singular value, by one power iteration a training pass on the
 * statistic "u" [O]. Miyato et al. 2018, https://arxiv.org/abs/1802.05957. The weight counts as a matrix [O, rest].
 */
export function spectralNorm(weight: Node, p: Parameters): Node {
  return p.within("spectralNorm", () => {
    const rows = weight.shape[0]!;
    const flat = reshape(weight, [rows, -1]);
    const fixed = stopGradient(flat);
    const start = p.statistic("u", [rows], normal(1));
    const v = unit(matmul(fixed, reshape(start, [rows, 1]), { transposeA: true })); // [rest, 1]
    const u = p.training ? unit(matmul(fixed, v)) : reshape(unit(start), [rows, 1]); // [O, 1]
    const sigma = sum(mul(u, matmul(flat, v)));
    if (p.training) p.carry({ parameter: start, next: () => reshape(u, [rows]), from: sigma });
    return div(weight, sigma);
  });
}

/**
 * A weight as direction times length per output, w = g · v / ‖v‖, with "g" [O] learned. Salimans & Kingma 2016,
 * https://arxiv.org/abs/1602.07868.
 */
export function weightNorm(direction: Node, p: Parameters): Node {
  return p.within("weightNorm", () => {
    const axes = direction.shape.map((_, axis) => axis).slice(1);
    const length = sqrt(sum(square(direction), axes, true));
    const gain = p.weight("g", [direction.shape[0]!], ones);
    return mul(div(direction, length), reshape(gain, [direction.shape[0]!, ...axes.map(() => 1)]));
  });
}
