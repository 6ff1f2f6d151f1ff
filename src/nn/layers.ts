import {
  conv2d as convolve,
  convTranspose2d as convolveTransposed,
  gather,
  greaterEqual,
  type Initializer,
  matmul,
  mul,
  type Node,
  type Padding,
  type Pair,
  pairOf,
  toFloat,
} from "../engine/index.ts";
import { normal, pytorchUniform } from "./initializers.ts";
import type { Parameters } from "./model.ts";

export interface ConvOptions {
  /** Filters: channels that come out. */
  readonly out: number;
  readonly kernel: Pair;
  readonly stride?: Pair;
  readonly dilation?: Pair;
  readonly groups?: number;
  /** Zeros around the picture; "same" (the default) keeps the size at stride 1 and odd kernels. */
  readonly padding?: Padding | "same";
  readonly bias?: boolean;
  /** First weights; PyTorch's default when absent. */
  readonly initializer?: Initializer;
  readonly biasInitializer?: Initializer;
  /** What becomes of the weight before it is used: spectralNorm, weightNorm. */
  readonly normalize?: (weight: Node, p: Parameters) => Node;
}

const samePads = (kernel: readonly [number, number], dilation: readonly [number, number]): Padding => {
  const reach = [0, 1].map((axis) => dilation[axis]! * (kernel[axis]! - 1)) as [number, number];
  const before = reach.map((side) => Math.floor(side / 2)) as [number, number];
  return [before[0], before[1], reach[0] - before[0], reach[1] - before[1]];
};

/**
 * Convolution with learned weights [out, C/groups, k, k] ("weight") and bias ("bias"): [N, C, H, W] → [N, out, H', W'].
 */
export function conv2d(x: Node, p: Parameters, options: ConvOptions): Node {
  const { out, stride = 1, groups = 1, bias = true } = options;
  const [kernel, dilation] = [pairOf(options.kernel), pairOf(options.dilation ?? 1)];
  const padding =
    options.padding === undefined || options.padding === "same" ? samePads(kernel, dilation) : options.padding;
  return p.within("conv2d", () => {
    const shape = [out, x.shape[1]! / groups, ...kernel];
    const fanIn = shape[1]! * kernel[0] * kernel[1];
    const drawn = p.weight("weight", shape, options.initializer ?? pytorchUniform(fanIn));
    const weight = options.normalize ? options.normalize(drawn, p) : drawn;
    const shift = bias ? p.weight("bias", [out], options.biasInitializer ?? pytorchUniform(fanIn)) : undefined;
    return convolve(x, weight, { stride, dilation, padding, groups, bias: shift });
  });
}

/**
 * Transposed convolution with learned weights [C, out/groups, k, k]: [N, C, H, W] → [N, out, H', W']. Padding defaults
 * to 0.
 */
export function convTranspose2d(
  x: Node,
  p: Parameters,
  options: ConvOptions & { readonly outputPadding?: Pair },
): Node {
  const { out, stride = 1, dilation = 1, groups = 1, bias = true, outputPadding = 0 } = options;
  const kernel = pairOf(options.kernel);
  const padding = options.padding === undefined || options.padding === "same" ? 0 : options.padding;
  return p.within("convTranspose2d", () => {
    const shape = [x.shape[1]!, out / groups, ...kernel];
    const fanIn = shape[1]! * kernel[0] * kernel[1];
    const weight = p.weight("weight", shape, options.initializer ?? pytorchUniform(fanIn));
    const shift = bias ? p.weight("bias", [out], options.biasInitializer ?? pytorchUniform(fanIn)) : undefined;
    return convolveTransposed(x, weight, { stride, dilation, padding, groups, outputPadding, bias: shift });
  });
}

export interface LinearOptions {
  readonly out: number;
  readonly bias?: boolean;
  readonly initializer?: Initializer;
  readonly biasInitializer?: Initializer;
  /** What becomes of the weight before it is used: spectralNorm, weightNorm. */
  readonly normalize?: ConvOptions["normalize"];
}

/** x Wᵀ + b with W [out, in] ("weight") and b [out] ("bias"): […, in] → […, out]. */
export function linear(
  x: Node,
  p: Parameters,
  { out, bias = true, initializer, biasInitializer, normalize }: LinearOptions,
): Node {
  return p.within("linear", () => {
    const width = x.shape[x.shape.length - 1]!;
    const drawn = p.weight("weight", [out, width], initializer ?? pytorchUniform(width));
    const weight = normalize ? normalize(drawn, p) : drawn;
    const shift = bias ? p.weight("bias", [out], biasInitializer ?? pytorchUniform(width)) : undefined;
    return matmul(x, weight, { transposeB: true, ...(shift && { bias: shift }) });
  });
}

/** Rows of a learned table [count, width] ("weight") by index: int64 […] → […, width]. */
export const embedding = (
  index: Node,
  p: Parameters,
  { count, width }: { readonly count: number; readonly width: number },
): Node => p.within("embedding", () => gather(p.weight("weight", [count, width], normal(1)), index));

/**
 * While training, sets each number to 0 with this probability and scales the others by 1/(1 − probability); else x as
 * it is.
 */
export function dropout(x: Node, p: Parameters, { probability = 0.5 }: { readonly probability?: number } = {}): Node {
  if (!p.training || probability === 0) return x;
  return p.within("dropout", () => {
    const kept = toFloat(greaterEqual(p.noise("dropout", x.shape, "uniform"), probability));
    return mul(x, mul(kept, 1 / (1 - probability)));
  });
}
