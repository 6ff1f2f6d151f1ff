import { z } from "zod";
import {
  add,
  gather,
  leakyRelu,
  mul,
  type Node,
  relu,
  reshape,
  resize,
  sum,
  type Tensors,
  tanh,
} from "../engine/index.ts";
import { normal, zeros } from "../nn/initializers.ts";
import { conv2d, convTranspose2d, embedding, linear } from "../nn/layers.ts";
import { defineModel, type Parameters } from "../nn/model.ts";
import { batchNorm, spectralNorm } from "../nn/norms.ts";
import { fromUnit, toUnit } from "../nn/range.ts";
import { floats, tensor } from "../tensor/tensor.ts";
import { generatorSizes, labelled, labelledNorm, pictureSizes } from "./parts.ts";

const PAPER = "https://arxiv.org/abs/1511.06434";
const initializer = normal(0.02);
/** Numbers that a conditional discriminator compares with a class. */
const FEATURES = 128;
const sizes = {
  ...pictureSizes,
  size: z.literal([24, 28, 32, 64]).default(32).describe("side of the pictures, in pixels"),
  channels: z.literal([1, 3]).default(3).describe("planes per picture: 1 gray, 3 RGB"),
  width: z.int().min(4).max(512).default(64).describe("channels at half the size; they double with each halving"),
  classes: generatorSizes.classes,
};

/** How often a size is halved until a map of 4 to 7 pixels is left. */
const halvings = (size: number): number => Math.floor(Math.log2(size)) - 2;

/**
 * Sides and channels from the smallest map to half the size: 24 is 6, 12; 28 is 7, 14; 32 is 4, 8, 16; 64 is 4, 8, 16,
 * 32.
 */
const stages = (
  size: number,
  width: number,
  depth = halvings(size),
): readonly { readonly side: number; readonly channels: number }[] =>
  Array.from({ length: depth }, (_, at) => ({
    side: Math.floor(size / 2 ** (depth - at)),
    channels: width * 2 ** (depth - at - 1),
  }));

/**
 * Twice as large: a transposed convolution, or nearest-neighbor and a convolution (Odena et al. 2016, no checkerboard).
 */
function grow(
  x: Node,
  p: Parameters,
  out: number,
  { up, bias }: { readonly up: string; readonly bias: boolean },
): Node {
  if (up === "transposed")
    return convTranspose2d(x, p, { out, kernel: 4, stride: 2, padding: [1, 1, 1, 1], bias, initializer });
  const [height, width] = [2 * x.shape[2]!, 2 * x.shape[3]!];
  return conv2d(resize(x, { height, width }, { mode: "nearest" }), p, { out, kernel: 3, bias, initializer });
}

/** DCGAN's generator: noise [N, latent] to pictures in 0…1. Radford et al. 2016. */
export const dcganGenerator = defineModel({
  name: "dcgan-generator",
  summary: "convolutional generator (Radford et al. 2016)",
  paper: PAPER,
  options: z.object({
    ...sizes,
    latent: generatorSizes.latent,
    up: z
      .enum(["transposed", "resize"])
      .default("transposed")
      .describe("how maps grow: transposed or resize-convolution"),
  }),
  input: ({ latent }) => [1, latent],
  given: labelled,
  build(x, p, { size, channels, latent, width, classes, up }, given) {
    const [first, ...rest] = stages(size, width) as [ReturnType<typeof stages>[0], ...ReturnType<typeof stages>];
    const { side, channels: out } = first;
    const norm = (y: Node, at: Parameters): Node => relu(labelledNorm(y, at, classes, given));
    const code = classes > 0 ? add(x, gather(p("label").weight("shift", [classes, latent], zeros), given.label!)) : x;
    let y = linear(code, p("seed"), { out: out * side * side, bias: false, initializer });
    y = norm(reshape(y, [x.shape[0]!, out, side, side]), p("seed.norm"));
    for (const [at, stage] of rest.entries()) {
      const here = p(`up.${at}`);
      y = norm(grow(y, here("conv"), stage.channels, { up, bias: false }), here("norm"));
    }
    return toUnit(tanh(grow(y, p("picture"), channels, { up, bias: true }))); // [N, C, S, S]
  },
});

/**
 * The discriminator of 28×28 gray pictures that the PyTorch examples' became in csinva/gan-vae-pretrained-pytorch:
 * three halvings without biases, to 3×3. Its last convolution, 4×4 at stride 2 with a border of 1, sees that map once,
 * with all taps but the first row and column: it is our dense layer. The fourth stage of the 64×64 original makes it
 * another network.
 */
function adoptDiscriminator(weights: Tensors) {
  const convs = [0, 2, 5, 8].map((at) => weights[`main.${at}.weight`]);
  const [first, , third, last] = convs;
  const width = first?.shape[0] ?? 0;
  const shapes = [1, 1, 2, 4].map((times, at) => [at < 3 ? width << at : 1, at === 0 ? 1 : width * times, 4, 4].join());
  const [names, allowed] = [
    Object.keys(weights),
    /^main\.([0258]\.weight|[36]\.(weight|bias|running_\w+|num_batches\w+))$/,
  ];
  if (!third || !last || convs.some((conv, at) => conv?.shape.join() !== shapes[at])) return undefined;
  if (!names.every((name) => allowed.test(name))) return undefined;
  const ours = names.flatMap((name) => {
    const [, number, part] = name.split(".") as [string, string, string];
    const at = { 0: 0, 2: 1, 3: 1, 5: 2, 6: 2 }[Number(number)];
    if (at === undefined || part.startsWith("num")) return [];
    return [[`down.${at}.${/[36]/.test(number) ? "norm" : "conv"}.${part}`, weights[name]!] as const];
  });
  const kept = floats(last).filter((_, i) => i % 4 > 0 && i % 16 > 3); // [256, 4, 4] to [256, 3, 3]
  const zeros = (count: number) => tensor(new Float32Array(count), [count]);
  return {
    options: { size: 28, channels: 1, width, depth: 3 } as const,
    weights: {
      ...Object.fromEntries(ours),
      "down.0.conv.bias": zeros(width),
      "score.weight": tensor(kept, [1, kept.length]),
      "score.bias": zeros(1),
    },
    usage: { task: "discriminate", size: 28, channels: 1 } as const,
  };
}

/**
 * DCGAN's discriminator: pictures in 0…1 to raw scores [N, 1]. With classes the score has a projection of the label's
 * embedding on the features, Miyato & Koyama 2018, https://arxiv.org/abs/1802.05637.
 */
export const dcganDiscriminator = defineModel({
  name: "dcgan-discriminator",
  summary: "convolutional discriminator (Radford et al. 2016)",
  paper: PAPER,
  options: z.object({
    ...sizes,
    norm: z
      .enum(["batch", "spectral", "none"])
      .default("batch")
      .describe("batch or spectral normalization of the discriminator's convolutions, or none"),
    depth: z
      .int()
      .min(1)
      .max(4)
      .optional()
      .describe("times the picture is halved; until 4 to 7 pixels are left unless given"),
  }),
  input: ({ channels, size }) => [1, channels, size, size],
  given: labelled,
  build(x, p, { size, width, classes, norm, depth }, given) {
    let y = fromUnit(x);
    const normalize = norm === "spectral" ? spectralNorm : undefined;
    for (const [at, { channels }] of [...stages(size, width, depth)].reverse().entries()) {
      const [here, isNormed] = [p(`down.${at}`), norm === "batch" && at > 0];
      const options = {
        out: channels,
        kernel: 4,
        stride: 2,
        padding: [1, 1, 1, 1],
        bias: !isNormed,
        initializer,
        ...(normalize && { normalize }),
      } as const;
      y = conv2d(y, here("conv"), options);
      y = leakyRelu(isNormed ? batchNorm(y, here("norm")) : y, 0.2);
    }
    const flat = reshape(y, [x.shape[0]!, -1]);
    const score = (h: Node): Node => linear(h, p("score"), { out: 1, initializer, ...(normalize && { normalize }) });
    if (classes === 0) return score(flat);
    const h = leakyRelu(linear(flat, p("features"), { out: FEATURES, ...(normalize && { normalize }) }), 0.2);
    const chosen = embedding(given.label!, p("label"), { count: classes, width: FEATURES });
    return add(score(h), mul(sum(mul(h, chosen), [1], true), 1 / Math.sqrt(FEATURES)));
  },
  adopt: adoptDiscriminator,
});
