import { z } from "zod";
import { maxPool, type Node, relu, reshape, resize } from "../engine/index.ts";
import { conv2d, linear } from "../nn/layers.ts";
import { defineModel, type Parameters } from "../nn/model.ts";
import { pictureSizes } from "./parts.ts";

const SIDE = 32;
const FOREIGN = { "convnet.c1": "c1", "convnet.c3": "c3", "convnet.c5": "c5", "fc.f6": "f6", "fc.f7": "classes" };

/** [N, C, S, S] in 0…1 to [N, 84]. */
function extract(x: Node, p: Parameters, { size }: { readonly size: number }): Node {
  let y = size === SIDE ? x : resize(x, { height: SIDE, width: SIDE }, { mode: "linear" });
  for (const [name, out] of [
    ["c1", 6],
    ["c3", 16],
    ["c5", 120],
  ] as const) {
    y = relu(conv2d(y, p(name), { out, kernel: 5, padding: 0 })); // [N, 6, 28, 28], [N, 16, 10, 10], [N, 120, 1, 1]
    if (name !== "c5") y = maxPool(y, { kernel: 2, stride: 2 }); // [N, 6, 14, 14], [N, 16, 5, 5]
  }
  return relu(linear(reshape(y, [x.shape[0]!, -1]), p("f6"), { out: 84 }));
}

/**
 * LeNet-5, LeCun et al., "Gradient-Based Learning Applied to Document Recognition", section II. Differs from the paper
 * as today's copies do: rectifiers for tanh, maximum pooling, C3 sees all maps, a dense layer for the radial basis
 * functions. Pictures of another side than 32 are brought to it by bilinear interpolation.
 */
export const lenet = defineModel({
  name: "lenet",
  summary: "LeNet-5 with rectifiers, a judge of generated digits (LeCun et al. 1998)",
  paper: "https://doi.org/10.1109/5.726791",
  options: z.object({
    ...pictureSizes,
    classes: z.int().min(2).max(1000).default(10).describe("classes to tell apart"),
  }),
  input: ({ channels, size }) => [1, channels, size, size],
  build: (x, p, options) => linear(extract(x, p, options), p("classes"), { out: options.classes }),
  parts: { features: extract },
  adopt(weights) {
    const names = Object.keys(FOREIGN) as (keyof typeof FOREIGN)[];
    const parts = names.flatMap((theirs) => ["weight", "bias"].map((part) => [theirs, part] as const));
    if (Object.keys(weights).length !== parts.length || parts.some((name) => !weights[name.join(".")]))
      return undefined;
    const [, channels] = weights["convnet.c1.weight"]!.shape as readonly [number, 1 | 3];
    // their size is not in the file: MNIST's
    const options = { size: 28, channels, classes: weights["fc.f7.bias"]!.shape[0]! };
    return {
      options,
      weights: Object.fromEntries(
        parts.map(([theirs, part]) => [`${FOREIGN[theirs]}.${part}`, weights[`${theirs}.${part}`]!]),
      ),
      usage: { task: "classify", ...options },
    };
  },
});
