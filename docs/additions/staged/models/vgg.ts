import { z } from "zod";
import { constant, div, maxPool, mean, type Node, relu, sub } from "../engine/index.ts";
import { conv2d } from "../nn/layers.ts";
import { defineModel, type Parameters } from "../nn/model.ts";

/** Mean and standard deviation of ImageNet's planes, which the network was trained on. */
const [MEANS, SPREADS] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]] as const; // biome-ignore format: one line
const byPlane = (values: readonly number[]): Node => constant(values, [1, 3, 1, 1]);

interface Sizes {
  readonly width: number;
  readonly layers: readonly number[];
}

/** The maps of the last convolution, before its pool: [N, 8w, S/16, S/16]. */
function maps(x: Node, p: Parameters, { width, layers }: Sizes): Node {
  let y = div(sub(x, byPlane(MEANS)), byPlane(SPREADS));
  for (const [level, count] of layers.entries()) {
    const out = width * 2 ** Math.min(level, 3);
    if (level > 0) y = maxPool(y, { kernel: 2, stride: 2 });
    for (let at = 0; at < count; at++) y = relu(conv2d(y, p(`level.${level}.${at}`), { out, kernel: 3 }));
  }
  return y;
}

/**
 * The convolutions of VGG-19, whose maps tell how alike two pictures look: RGB in 0…1 to features [N, 8w], the means of the last maps;
 * the part `maps` gives these themselves. Simonyan & Zisserman 2015, https://arxiv.org/abs/1409.1556, table 1, column E.
 */
export const vgg = defineModel({
  name: "vgg",
  summary: "features of pictures by the convolutions of VGG-19 (Simonyan & Zisserman 2015)",
  paper: "https://arxiv.org/abs/1409.1556",
  options: z.object({
    width: z.int().min(1).max(512).default(64).describe("channels at full size; they double three times"),
    layers: z.array(z.int().min(1).max(8)).min(1).max(5).default([2, 2, 4, 4, 4]).describe("convolutions a level"),
  }),
  input: () => [1, 3, 32, 32],
  build: (x, p, sizes) => mean(maps(x, p, sizes), [2, 3]),
  parts: { maps },
});
