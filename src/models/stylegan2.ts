import { z } from "zod";
import {
  add,
  averagePool,
  concat,
  constant,
  conv2d,
  div,
  expand,
  gradient,
  type Initializer,
  leakyRelu,
  less,
  matmul,
  mean,
  mul,
  type Node,
  reshape,
  resize,
  slice,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  where,
} from "../engine/index.ts";
import { normal, ones, zeros } from "../nn/initializers.ts";
import { embedding } from "../nn/layers.ts";
import { defineModel, type Parameters } from "../nn/model.ts";
import { spectralNorm } from "../nn/norms.ts";
import { fromUnit, toUnit } from "../nn/range.ts";
import { runningAverage } from "../nn/runningAverage.ts";
import { generatorSizes, labelled, pictureSizes, spectralOption } from "./parts.ts";

const PAPER = "https://arxiv.org/abs/1912.04958";
const sizes = {
  ...pictureSizes,
  size: z.literal([16, 32, 64, 128, 256]).default(32).describe("side of the pictures, in pixels"),
  channels: z.literal([1, 3]).default(3).describe("planes per picture: 1 gray, 3 RGB"),
  classes: generatorSizes.classes,
  width: z.int().min(4).max(512).default(32).describe("channels at full size; they double with each halving"),
  most: z.int().min(4).max(512).default(256).describe("channels at most"),
};

interface Widths {
  readonly size: number;
  readonly width: number;
  readonly most: number;
}

const channelsAt = (side: number, { size, width, most }: Widths): number => Math.min(most, (width * size) / side);
/** 4, 8 … size. */
const sidesOf = (size: number): readonly number[] =>
  Array.from({ length: Math.log2(size) - 1 }, (_, at) => 4 * 2 ** at);
/** A style for each convolution, and one for the last picture: 4 is 1, and every doubling has two more. */
export const stylesOf = (size: number): number => 2 * (Math.log2(size) - 1);

/** Numbers of noise up to a side: a map for each layer but those that show pictures. */
const noiseOf = (size: number): number =>
  sidesOf(size).reduce((sum, side) => sum + (side === 4 ? 1 : 2) * side * side, 0);

/** Leaky rectifier that keeps the variance. */
const rectify = (x: Node): Node => mul(leakyRelu(x, 0.2), Math.SQRT2);

/** A N(0, 1) weight, scaled in use: equalized learning rate, Karras et al. 2018, https://arxiv.org/abs/1710.10196. */
const equalized = (p: Parameters, shape: readonly number[], rate = 1): Node => {
  const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
  return mul(p.weight("weight", shape, normal(1 / rate)), rate / Math.sqrt(fanIn));
};

type Weigh = typeof equalized;
const spectral: Weigh = (p, shape, rate) => spectralNorm(equalized(p, shape, rate), p);

/** x [N, in] → [N, out]; `rate` scales how fast it learns. */
function dense(
  x: Node,
  p: Parameters,
  out: number,
  { rate = 1, bias = zeros, weigh = equalized }: { rate?: number; bias?: Initializer; weigh?: Weigh } = {},
): Node {
  const shift = mul(p.weight("bias", [out], bias), rate);
  return matmul(x, weigh(p, [out, x.shape[1]!], rate), { transposeB: true, bias: shift });
}

/** x [N, C] with length √C. */
const normalized = (x: Node): Node => div(x, sqrt(add(mean(square(x), [1], true), 1e-8)));

const perChannel = (values: Node): Node => reshape(values, [...values.shape, 1, 1]);

/**
 * A convolution of [N, C, H, W] whose weights are scaled per picture by a style [N, W], and scaled back to unit
 * variance. Scaling what comes in and what goes out is the same as scaling the weights; section 2.2, equations 1 and 3.
 */
function modulated(
  x: Node,
  style: Node,
  p: Parameters,
  { out, kernel, demodulate = true }: { readonly out: number; readonly kernel: number; readonly demodulate?: boolean },
): Node {
  const scale = dense(style, p("style"), x.shape[1]!, { bias: ones }); // [N, C]
  const weight = equalized(p, [out, x.shape[1]!, kernel, kernel]);
  const y = conv2d(mul(x, perChannel(scale)), weight, { padding: (kernel - 1) / 2 });
  if (!demodulate) return y;
  const energy = matmul(square(scale), sum(square(weight), [2, 3]), { transposeB: true }); // [N, out]
  return mul(y, perChannel(div(1, sqrt(add(energy, 1e-8)))));
}

type Given = Readonly<Record<string, Node>>;

/** A modulated convolution with noise, bias and rectifier. Outside training its noise is given, `from` a number on. */
function styled(
  x: Node,
  style: Node,
  p: Parameters,
  { out, given, from }: { readonly out: number; readonly given: Given; readonly from: number },
): Node {
  const y = modulated(x, style, p("conv"), { out, kernel: 3 });
  const [count, , height, width] = y.shape as readonly [number, number, number, number];
  const shape = [count, 1, height, width];
  const noise = p.training
    ? p.noise("noise", shape, "normal")
    : reshape(slice(given.noise!, [0, from], [count, from + height * width]), shape);
  const noisy = add(y, mul(noise, p.weight("strength", [1], zeros)));
  return rectify(add(noisy, perChannel(p.weight("bias", [out], zeros))));
}

const doubled = (x: Node): Node => resize(x, { height: 2 * x.shape[2]!, width: 2 * x.shape[3]! }, { mode: "linear" });
const halved = (x: Node): Node =>
  resize(x, { height: x.shape[2]! / 2, width: x.shape[3]! / 2 }, { mode: "linear", antialias: true });

interface Mapping {
  readonly size: number;
  readonly latent: number;
  readonly classes: number;
  readonly mapping: number;
  readonly mixing: number;
}

/** Codes [N, latent] to one style [N, latent] each. */
function mapped(codes: Node, p: Parameters, { latent, classes, mapping }: Mapping, label: Node | undefined): Node {
  let y = normalized(codes);
  if (classes > 0) y = concat([y, normalized(embedding(label!, p("label"), { count: classes, width: latent }))], 1);
  for (let at = 0; at < mapping; at++) y = rectify(dense(y, p(`layer.${at}`), latent, { rate: 0.01 }));
  return y;
}

/**
 * Codes [N, latent] to styles [N, layers, latent]. In training some pictures take the later layers' styles from a
 * second code (style mixing); otherwise styles are drawn towards the mean style by 1 − `truncation` [N] (Karras et al.
 * 2019, section 5).
 */
function map(codes: Node, p: Parameters, options: Mapping, given: Given): Node {
  const { latent, size, mixing } = options;
  const [count, layers] = [codes.shape[0]!, stylesOf(size)];
  const style = mapped(codes, p, options, given.label);
  const average = p.statistic("average", [latent], zeros);
  const spread = (styles: Node): Node => expand(reshape(styles, [count, 1, latent]), [count, layers, latent]);
  if (!p.training) {
    const drawn = add(average, mul(sub(style, average), reshape(given.truncation!, [count, 1])));
    return spread(drawn);
  }
  const toward = stopGradient(mean(style, [0]));
  p.carry(runningAverage({ parameter: average, toward, from: style, momentum: 0.005, isMean: true }));
  if (mixing === 0) return spread(style);
  const other = mapped(p.noise("other code", codes.shape, "normal"), p, options, given.label);
  // A picture mixes when the first number is below the share; the second says from which layer on.
  const place = mul(p.noise("from layer", [count, 1, 1], "uniform"), layers);
  const from = where(less(p.noise("mixed", [count, 1, 1], "uniform"), mixing), place, layers);
  const layer = constant(
    Array.from({ length: layers }, (_, at) => at + 0.5),
    [1, layers, 1],
  );
  return where(expand(less(layer, from), [count, layers, latent]), spread(style), spread(other));
}

/** Styles [N, layers, latent] to pictures [N, C, S, S] in 0…1: each size adds to the picture so far (section 4.1). */
function synthesize(styles: Node, p: Parameters, options: Widths & { readonly channels: number }, given: Given): Node {
  const [count, , latent] = styles.shape as readonly [number, number, number];
  const style = (layer: number): Node =>
    reshape(slice(styles, [0, layer, 0], [count, layer + 1, latent]), [count, latent]);
  const start = p.weight("start", [1, channelsAt(4, options), 4, 4], normal(1));
  let y = expand(start, [count, ...start.shape.slice(1)]);
  let picture: Node | undefined;
  for (const [at, side] of sidesOf(options.size).entries()) {
    const [here, out] = [p(String(side)), channelsAt(side, options)];
    if (at > 0) y = styled(doubled(y), style(2 * at - 1), here("up"), { out, given, from: noiseOf(side / 2) });
    y = styled(y, style(2 * at), here("conv"), { out, given, from: noiseOf(side) - side * side });
    const rgb = modulated(y, style(2 * at + 1), here("picture"), {
      out: options.channels,
      kernel: 1,
      demodulate: false,
    });
    const shown = add(rgb, perChannel(here("picture").weight("bias", [options.channels], zeros)));
    picture = picture ? add(doubled(picture), shown) : shown;
  }
  return toUnit(picture!);
}

/**
 * How much the length [N] of a random direction's way through the pictures differs from its running mean, squared: path
 * length regularization, section 3.2, equation 4.
 */
function pathPenalty(styles: Node, picture: Node, p: Parameters): Node {
  const [, , height, width] = picture.shape as readonly [number, number, number, number];
  const direction = mul(p.noise("direction", picture.shape, "normal"), 2 / Math.sqrt(height * width)); // in −1…1
  const [slope] = gradient(sum(mul(picture, direction)), [styles]);
  const length = sqrt(add(mean(sum(square(slope!), [2]), [1]), 1e-12));
  const usual = p.statistic("usual", [1], zeros);
  const toward = stopGradient(reshape(mean(length), [1]));
  p.carry(runningAverage({ parameter: usual, toward, from: length, momentum: 0.01, isMean: true }));
  return square(sub(length, usual));
}

/**
 * StyleGAN2's generator: codes [N, latent] to pictures in 0…1. Outside training the N(0, 1) of the layers' noise is
 * given, so that a picture is the same whenever it is made.
 */
export const stylegan2Generator = defineModel({
  name: "stylegan2-generator",
  summary: "style-based generator (Karras et al. 2020)",
  paper: PAPER,
  options: z.object({
    ...sizes,
    latent: z.int().min(1).max(1024).default(128).describe("random numbers per picture, and numbers per style"),
    mapping: z.int().min(1).max(16).default(8).describe("layers from code to style"),
    mixing: z.number().min(0).max(1).default(0.9).describe("share of training pictures with two codes' styles"),
  }),
  input: ({ latent }) => [1, latent],
  given: (options) => ({
    ...labelled(options),
    truncation: { shape: [1], dtype: "float32" },
    noise: { shape: [1, noiseOf(options.size)], dtype: "float32" },
  }),
  build: (x, p, options, given) => synthesize(map(x, p("mapping"), options, given), p("synthesis"), options, given),
  parts: {
    styles: (x, p, options, given) => map(x, p("mapping"), options, given),
    picture: (x, p, options, given) => synthesize(x, p("synthesis"), options, given),
    path: (x, p, options, given) => {
      const styles = map(x, p("mapping"), options, given);
      return pathPenalty(styles, synthesize(styles, p("synthesis"), options, given), p("path"));
    },
  },
});

/** x [N, C, H, W] → [N, out, H, W] by an equalized convolution without a bias. */
const plain = (x: Node, p: Parameters, out: number, { kernel, weigh }: { kernel: number; weigh: Weigh }): Node =>
  conv2d(x, weigh(p, [out, x.shape[1]!, kernel, kernel]), { padding: (kernel - 1) / 2 });

const biased = (x: Node, p: Parameters): Node => rectify(add(x, perChannel(p.weight("bias", [x.shape[1]!], zeros))));

/** [N, C, H, W] blurred by [1, 3, 3, 1] / 8 both ways, as three means of two, and one larger each way. */
const blurred = (x: Node): Node =>
  [1, 1, 0].reduce((y, padding) => averagePool(y, { kernel: 2, stride: 1, padding }), x);

/** A blur, then a convolution at every second pixel: half as large. */
const shrink = (x: Node, p: Parameters, out: number, weigh: Weigh): Node =>
  conv2d(blurred(x), weigh(p, [out, x.shape[1]!, 3, 3]), { stride: 2 });

/** A plane of how much the pictures of a group differ: minibatch standard deviation, Karras et al. 2018, section 3. */
function withDeviation(x: Node): Node {
  const [count, channels, height, width] = x.shape as readonly [number, number, number, number];
  const group = [4, 3, 2, 1].find((size) => count % size === 0)!;
  const grouped = reshape(x, [group, count / group, channels, height, width]);
  const spread = sub(grouped, mean(grouped, [0], true));
  const deviation = mean(sqrt(add(mean(square(spread), [0], true), 1e-8)), [2, 3, 4], true); // [1, N/group, 1, 1, 1]
  const plane = reshape(expand(deviation, [group, count / group, 1, height, width]), [count, 1, height, width]);
  return concat([x, plane], 1);
}

/** StyleGAN2's residual discriminator: pictures in 0…1 to raw scores [N, 1], by projection where there are classes. */
export const stylegan2Discriminator = defineModel({
  name: "stylegan2-discriminator",
  summary: "residual discriminator (Karras et al. 2020)",
  paper: PAPER,
  options: z.object({ ...sizes, norm: spectralOption }),
  input: ({ channels, size }) => [1, channels, size, size],
  given: labelled,
  build(x, p, options, given) {
    const [first, ...sides] = [...sidesOf(options.size)].reverse();
    const weigh = options.norm === "spectral" ? spectral : equalized;
    let y = biased(plain(fromUnit(x), p("picture"), channelsAt(first!, options), { kernel: 1, weigh }), p("picture"));
    for (const side of sides) {
      const here = p(String(2 * side));
      const out = channelsAt(side, options);
      const detail = biased(plain(y, here("conv"), y.shape[1]!, { kernel: 3, weigh }), here("conv"));
      const down = biased(shrink(detail, here("down"), out, weigh), here("down"));
      y = mul(add(down, plain(halved(y), here("skip"), out, { kernel: 1, weigh })), Math.SQRT1_2);
    }
    y = biased(plain(withDeviation(y), p("4.conv"), y.shape[1]!, { kernel: 3, weigh }), p("4.conv"));
    y = rectify(dense(reshape(y, [x.shape[0]!, -1]), p("4.dense"), y.shape[1]!, { weigh }));
    if (options.classes === 0) return dense(y, p("score"), 1, { weigh });
    const chosen = normalized(embedding(given.label!, p("label"), { count: options.classes, width: y.shape[1]! }));
    return mul(sum(mul(dense(y, p("score"), y.shape[1]!, { weigh }), chosen), [1], true), 1 / Math.sqrt(y.shape[1]!));
  },
});
