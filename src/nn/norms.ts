import {
  add,
  div,
  gather,
  type Initializer,
  matmul,
  mean,
  mul,
  type Node,
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

/** (x − mean) / √(variance + ε) over the given axes, with the variance of the population (1/N). */
function standardize(x: Node, axes: readonly number[], epsilon: number): { y: Node; mean: Node; variance: Node } {
  const center = mean(x, axes, true);
  const spread = sub(x, center);
  const variance = mean(square(spread), axes, true);
  return { y: div(spread, sqrt(add(variance, epsilon))), mean: center, variance };
}

/** One number per channel as a shape that broadcasts over [N, C, …]. */
const perChannel = (values: Node, rank: number): Node =>
  reshape(values, [1, values.shape[0]!, ...new Array(rank - 2).fill(1)]);

function affineByChannel(y: Node, p: Parameters, channels: number): Node {
  const rank = y.shape.length;
  const weight = perChannel(p.weight("weight", [channels], ones), rank);
  return add(mul(y, weight), perChannel(p.weight("bias", [channels], zeros), rank));
}

export interface BatchNormOptions {
  readonly epsilon?: number;
  /** Share of the new value in the running statistics (PyTorch's convention; ONNX has 1 − this). */
  readonly momentum?: number;
  readonly affine?: boolean;
}

/**
 * Batch normalization of [N, C, …] by channel, Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167. Training uses the
 * batch's statistics (variance 1/N) and lets "running_mean" and "running_var" (variance 1/(N−1)) follow; otherwise the
 * running ones are used.
 */
export function batchNorm(x: Node, p: Parameters, options: BatchNormOptions = {}): Node {
  const { epsilon = 1e-5, momentum = 0.1, affine = true } = options;
  const [channels, rank] = [x.shape[1]!, x.shape.length];
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
  return p.within("batchNorm", () => {
    const runningMean = p.statistic("running_mean", [channels], zeros);
    const runningVariance = p.statistic("running_var", [channels], ones);
    if (!p.training) {
      const scale = sqrt(add(perChannel(runningVariance, rank), epsilon));
      const y = div(sub(x, perChannel(runningMean, rank)), scale);
      return affine ? affineByChannel(y, p, channels) : y;
    }
    const { y, mean, variance } = standardize(x, axes, epsilon);
    const count = sizeOf(x.shape) / channels;
    const flat = (value: Node): Node => stopGradient(reshape(value, [channels]));
    p.follow({ parameter: runningMean, toward: flat(mean), from: mean, momentum, normalizes: true });
    const unbiased = mul(flat(variance), count / Math.max(1, count - 1));
    p.follow({ parameter: runningVariance, toward: unbiased, from: variance, momentum, normalizes: true });
    return affine ? affineByChannel(y, p, channels) : y;
  });
}

/**
 * Batch normalization of [N, C, …] with a gain and a shift of each class's own, "gain" and "shift" [classes, C].
 * Dumoulin et al. 2017, https://arxiv.org/abs/1610.07629. @param label class numbers, int64 [N]
 */
export function classBatchNorm(x: Node, p: Parameters, label: Node, classes: number): Node {
  const y = batchNorm(x, p, { affine: false });
  return p.within("classBatchNorm", () => {
    const [count, channels] = x.shape as readonly [number, number];
    const chosen = (name: string, first: Initializer): Node =>
      reshape(gather(p.weight(name, [classes, channels], first), label), [
        count,
        channels,
        ...x.shape.slice(2).map(() => 1),
      ]);
    return add(mul(y, chosen("gain", ones)), chosen("shift", zeros));
  });
}

export interface NormOptions {
  readonly epsilon?: number;
  readonly affine?: boolean;
}

/** Instance normalization of [N, C, H, W]: each picture's channels by themselves. Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022. */
export const instanceNorm = (x: Node, p: Parameters, { epsilon = 1e-5, affine = false }: NormOptions = {}): Node =>
  p.within("instanceNorm", () => {
    const { y } = standardize(x, [2, 3], epsilon);
    return affine ? affineByChannel(y, p, x.shape[1]!) : y;
  });

/** Group normalization of [N, C, H, W] in `groups` groups of channels. Wu & He 2018, https://arxiv.org/abs/1803.08494. */
export const groupNorm = (
  x: Node,
  p: Parameters,
  { groups, epsilon = 1e-5, affine = true }: NormOptions & { readonly groups: number },
): Node =>
  p.within("groupNorm", () => {
    const [batch, channels] = x.shape as readonly [number, number];
    const grouped = reshape(x, [batch, groups, -1]);
    const y = reshape(standardize(grouped, [2], epsilon).y, x.shape);
    return affine ? affineByChannel(y, p, channels) : y;
  });

/** Layer normalization over the last axis. Ba et al. 2016, https://arxiv.org/abs/1607.06450. */
export const layerNorm = (x: Node, p: Parameters, { epsilon = 1e-5, affine = true }: NormOptions = {}): Node =>
  p.within("layerNorm", () => {
    const last = x.shape.length - 1;
    const { y } = standardize(x, [last], epsilon);
    const width = x.shape[last]!;
    return affine ? add(mul(y, p.weight("weight", [width], ones)), p.weight("bias", [width], zeros)) : y;
  });

const unit = (v: Node): Node => div(v, add(sqrt(sum(square(v))), 1e-12));

/**
 * A weight divided by an estimate of its largest singular value, by one power iteration a training pass on the statistic
 * "u" [O]. Miyato et al. 2018, https://arxiv.org/abs/1802.05957. The weight counts as a matrix [O, rest].
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
    if (p.training) p.follow({ parameter: start, toward: reshape(u, [rows]), from: sigma, momentum: 1 });
    return div(weight, sigma);
  });
}

/** A weight as direction times length per output, w = g · v / ‖v‖, with "g" [O] learned. Salimans & Kingma 2016, https://arxiv.org/abs/1602.07868. */
export function weightNorm(direction: Node, p: Parameters): Node {
  return p.within("weightNorm", () => {
    const axes = direction.shape.map((_, axis) => axis).slice(1);
    const length = sqrt(sum(square(direction), axes, true));
    const gain = p.weight("g", [direction.shape[0]!], ones);
    return mul(div(direction, length), reshape(gain, [direction.shape[0]!, ...axes.map(() => 1)]));
  });
}
