import { z } from "zod";
import {
  add,
  attention,
  concat,
  constant,
  cos,
  type Initializer,
  mul,
  type Node,
  reshape,
  resize,
  silu,
  sin,
} from "../engine/index.ts";
import { fans, uniform, xavier, zeros } from "../nn/initializers.ts";
import { conv2d, dropout, linear } from "../nn/layers.ts";
import { defineModel, type Parameters } from "../nn/model.ts";
import { groupNorm } from "../nn/norms.ts";

/** Almost zero, `xavier` at 1e-10 of its variance: a block starts as nothing beside its shortcut, and still learns. */
function nearZero(shape: readonly number[]): Initializer {
  const [into, out] = fans(shape);
  return uniform(1e-5 * Math.sqrt(6 / (into + out)));
}

interface Numbers {
  readonly width: number;
  readonly multipliers: readonly number[];
  readonly blocks: number;
  /** Sides of the maps that have attention. */
  readonly sides: readonly number[];
  readonly heads: number;
  readonly probability: number;
}

const convolve = (x: Node, p: Parameters, out: number, { kernel = 3, stride = 1, first = xavier } = {}): Node => {
  const initializer = first([out, x.shape[1]!, kernel, kernel]);
  const padding = (kernel - 1) / 2;
  return conv2d(x, p, { out, kernel, stride, padding, initializer, biasInitializer: zeros });
};

const project = (x: Node, p: Parameters, out: number): Node =>
  linear(x, p, { out, initializer: xavier([out, x.shape[1]!]), biasInitializer: zeros });

/** 32 groups, as in the paper, or groups of two channels where the network is narrow: of one they would see no time. */
const normalize = (x: Node, p: Parameters, width: number): Node =>
  groupNorm(x, p, { groups: Math.min(32, width / 2), epsilon: 1e-6 });

/** Sines and cosines of the time at geometric rates from 1 to 1/10,000: [N] to [N, width]. */
function wave(time: Node, width: number): Node {
  const half = width / 2;
  const rates = Array.from({ length: half }, (_, at) => 10_000 ** (-at / (half - 1)));
  const angles = mul(reshape(time, [-1, 1]), constant(rates, [1, half]));
  return concat([sin(angles), cos(angles)], 1);
}

/** Two convolutions beside a shortcut, the time between them as a shift by channel. @param time [N, 4w], rectified */
function residual(x: Node, p: Parameters, out: number, time: Node, { width, probability }: Numbers): Node {
  const first = convolve(silu(normalize(x, p("norm.0"), width)), p("conv.0"), out);
  const shifted = add(first, reshape(project(time, p("shift"), out), [x.shape[0]!, out, 1, 1]));
  const kept = dropout(silu(normalize(shifted, p("norm.1"), width)), p, { probability });
  const second = convolve(kept, p("conv.1"), out, { first: nearZero });
  return add(x.shape[1] === out ? x : convolve(x, p("shortcut"), out, { kernel: 1 }), second);
}

/** Self-attention over all pixels: [N, C, H, W] to the same shape. */
function attend(x: Node, p: Parameters, { width, heads }: Numbers): Node {
  const [batch, channels, height, columns] = x.shape as readonly [number, number, number, number];
  const y = normalize(x, p("norm"), width);
  const flat = (name: string): Node =>
    reshape(convolve(y, p(name), channels, { kernel: 1 }), [batch, channels, height * columns]);
  const seen = reshape(attention(flat("query"), flat("key"), flat("value"), { heads }), x.shape);
  return add(x, convolve(seen, p("out"), channels, { kernel: 1, first: nearZero }));
}

/** A residual block, with attention on maps of the sides that have it. */
function block(x: Node, p: Parameters, out: number, time: Node, numbers: Numbers): Node {
  const y = residual(x, p, out, time, numbers);
  return numbers.sides.includes(y.shape[2]!) ? attend(y, p("attention"), numbers) : y;
}

/** Every map on the way down, from full size. */
function downPath(x: Node, p: Parameters, time: Node, numbers: Numbers): Node[] {
  const { width, multipliers, blocks } = numbers;
  const maps = [convolve(x, p("first"), width)];
  for (const [level, multiplier] of multipliers.entries()) {
    const here = p(`down.${level}`);
    if (level > 0) maps.push(convolve(maps.at(-1)!, here("halve"), maps.at(-1)!.shape[1]!, { stride: 2 }));
    for (let at = 0; at < blocks; at++)
      maps.push(block(maps.at(-1)!, here(`${at}`), width * multiplier, time, numbers));
  }
  return maps;
}

/** Twice as large: nearest neighbors, then a convolution. */
function double(x: Node, p: Parameters): Node {
  const [, channels, height, columns] = x.shape as readonly [number, number, number, number];
  return convolve(resize(x, { height: 2 * height, width: 2 * columns }, { mode: "nearest" }), p, channels);
}

/** Back to full size, each block seeing the map of the way down that came last. */
function upPath(x: Node, p: Parameters, maps: Node[], time: Node, numbers: Numbers): Node {
  const { width, multipliers, blocks } = numbers;
  let y = x;
  for (let level = multipliers.length - 1; level >= 0; level--) {
    const here = p(`up.${level}`);
    for (let at = 0; at <= blocks; at++)
      y = block(concat([y, maps.pop()!], 1), here(`${at}`), width * multipliers[level]!, time, numbers);
    if (level > 0) y = double(y, here("double"));
  }
  return y;
}

/**
 * The U-Net of denoising diffusion: a noisy picture (data in −1…1 before the noise) and its time, to the noise in it,
 * of the same shape. Ho et al. 2020, appendix B; the defaults are its CIFAR-10 network of 35.7 million numbers. `time`
 * is 0…1000 and need not be whole. Differs from the authors' code: strided convolutions pad all four sides.
 */
export const diffusionUnet = defineModel({
  name: "diffusion-unet",
  summary: "U-Net with attention that finds the noise in a picture (Ho et al. 2020)",
  paper: "https://arxiv.org/abs/2006.11239",
  options: z.object({
    size: z.literal([16, 32, 64, 128, 256]).default(32).describe("side of the pictures, in pixels"),
    channels: z.literal([1, 3]).default(3).describe("planes per picture: 1 gray, 3 RGB"),
    width: z.literal([8, 16, 32, 64, 96, 128, 192, 256]).default(128).describe("channels at full size"),
    multipliers: z
      .array(z.int().min(1).max(8))
      .min(1)
      .max(5)
      .default([1, 2, 2, 2])
      .describe("channels at each size, in multiples of the width; one size more is half as large"),
    blocks: z
      .int()
      .min(1)
      .max(4)
      .default(2)
      .describe("residual blocks at each size on the way down; one more on the way up"),
    attention: z.array(z.int().min(1).max(64)).max(5).default([16]).describe("sides of the maps that have attention"),
    heads: z
      .int()
      .min(1)
      .max(16)
      .default(1)
      .describe("attention heads: parts of the channels that each look by themselves"),
    dropout: z.number().min(0).max(0.9).default(0.1).describe("share of each block's numbers left out while training"),
  }),
  input: ({ channels, size }) => [1, channels, size, size],
  given: () => ({ time: { shape: [1], dtype: "float32" as const } }),
  build(x, p, { channels, width, dropout: probability, attention: sides, ...rest }, { time: when }) {
    const numbers = { ...rest, width, sides, probability };
    const early = silu(project(wave(when!, width), p("time.0"), 4 * width));
    const time = silu(project(early, p("time.1"), 4 * width)); // [N, 4w]
    const maps = downPath(x, p, time, numbers);
    const bottom = maps.at(-1)!;
    const most = bottom.shape[1]!;
    const before = attend(residual(bottom, p("middle.0"), most, time, numbers), p("middle.attention"), numbers);
    const y = upPath(residual(before, p("middle.1"), most, time, numbers), p, maps, time, numbers); // [N, w, S, S]
    return convolve(silu(normalize(y, p("last.norm"), width)), p("last"), channels, { first: nearZero });
  },
});
