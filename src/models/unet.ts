import { z } from "zod";
import { concat, leakyRelu, type Node, relu, tanh } from "../engine/index.ts";
import { normal, zeros } from "../nn/initializers.ts";
import { conv2d, convTranspose2d, dropout } from "../nn/layers.ts";
import { defineModel, type Parameters } from "../nn/model.ts";
import { instanceNorm } from "../nn/norms.ts";
import { fromUnit, toUnit } from "../nn/range.ts";

const layer = { kernel: 4, stride: 2, padding: 1, initializer: normal(0.02), biasInitializer: zeros } as const;
/** Decoder blocks with dropout, from the smallest map on. */
const DROPPED = 3;

/** 64, 128, 256, 512, 512 … for a width of 64. */
const channelsAt = (level: number, width: number): number => width * 2 ** Math.min(level, 3);

/** The maps of the encoder before their rectifiers, from half the size down to 1×1. */
function encode(x: Node, p: Parameters, depth: number, width: number): Node[] {
  const maps: Node[] = [];
  for (let level = 0; level < depth; level++) {
    const here = p(`down.${level}`);
    const before = level === 0 ? x : leakyRelu(maps.at(-1)!, 0.2);
    const y = conv2d(before, here("conv"), { ...layer, out: channelsAt(level, width), bias: false });
    maps.push(level === 0 || level === depth - 1 ? y : instanceNorm(y, here("norm"), { affine: true }));
  }
  return maps;
}

/**
 * The U-Net generator of pix2pix: pictures in 0…1 to pictures in 0…1, halved to 1×1 and doubled back, each map of the
 * encoder seen again by the decoder. Isola et al. 2017, appendix 6.1.1 and its errata: no norm at the 1×1 bottleneck,
 * where it would leave zeros. What the paper calls batch normalization at its batch of 1, in training and in use, is
 * instance normalization; here it is that at every batch. Differs from the paper: outside training there is no dropout,
 * so the same picture gives the same answer. Sides of the input may be any multiples of `size`.
 */
export const unet = defineModel({
  name: "unet",
  summary: "U-Net from picture to picture, the generator of pix2pix (Isola et al. 2017)",
  paper: "https://arxiv.org/abs/1611.07004",
  options: z.object({
    size: z
      .literal([16, 32, 64, 128, 256, 512])
      .default(256)
      .describe("side of the pictures, in pixels; it sets the depth"),
    channels: z.literal([1, 3]).default(3).describe("planes per picture: 1 gray, 3 RGB"),
    width: z.int().min(1).max(512).default(64).describe("channels at half the size; they double three times"),
  }),
  input: ({ channels, size }) => [1, channels, size, size],
  build(x, p, { size, channels, width }) {
    const depth = Math.log2(size);
    const maps = encode(fromUnit(x), p, depth, width);
    let y = maps[depth - 1]!; // [N, 8w, 1, 1]
    for (let level = depth - 2; level >= 0; level--) {
      const here = p(`up.${level}`);
      const grown = convTranspose2d(relu(y), here("conv"), { ...layer, out: channelsAt(level, width), bias: false });
      const even = instanceNorm(grown, here("norm"), { affine: true });
      const kept = level > depth - 2 - DROPPED ? dropout(even, here) : even;
      y = concat([maps[level]!, kept], 1); // twice the channels of that level, [N, 2w, S/2, S/2] at last
    }
    return toUnit(tanh(convTranspose2d(relu(y), p("picture"), { ...layer, out: channels }))); // [N, C, S, S]
  },
});
