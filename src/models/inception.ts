import { z } from "zod";
import { averagePool, concat, constant, div, maxPool, mean, type Node, type Pair, relu } from "../engine/index.ts";
import { conv2d } from "../nn/layers.ts";
import { defineModel, type Parameters } from "../nn/model.ts";
import { batchNorm } from "../nn/norms.ts";
import { fromUnit } from "../nn/range.ts";

/** A convolution with batch normalization and rectifier; at stride 2 without a border. */
type Conv = readonly [name: string, out: number, kernel: Pair, stride?: 1 | 2];
/**
 * Pools: "average" and "max" of 3×3 keep the size, "halve" is the maximum at stride 2. Two convolutions stand side by
 * side.
 */
type Step = Conv | readonly [Conv, Conv] | "average" | "max" | "halve";
/** Branches whose maps are laid behind each other. */
type Block = readonly (readonly Step[])[];

const [ACROSS, DOWN] = [
  [1, 7],
  [7, 1],
] as const;

const blockA = (pooled: number): Block => [
  [["branch1x1", 64, 1]],
  [["branch5x5_1", 48, 1], ["branch5x5_2", 64, 5]],
  [["branch3x3dbl_1", 64, 1], ["branch3x3dbl_2", 96, 3], ["branch3x3dbl_3", 96, 3]],
  ["average", ["branch_pool", pooled, 1]],
]; // biome-ignore format: a branch a line

const blockB: Block = [
  [["branch3x3", 384, 3, 2]],
  [
    ["branch3x3dbl_1", 64, 1],
    ["branch3x3dbl_2", 96, 3],
    ["branch3x3dbl_3", 96, 3, 2],
  ],
  ["halve"],
];

const blockC = (c: number): Block => [
  [["branch1x1", 192, 1]],
  [
    ["branch7x7_1", c, 1],
    ["branch7x7_2", c, ACROSS],
    ["branch7x7_3", 192, DOWN],
  ],
  [
    ["branch7x7dbl_1", c, 1],
    ["branch7x7dbl_2", c, DOWN],
    ["branch7x7dbl_3", c, ACROSS],
    ["branch7x7dbl_4", c, DOWN],
    ["branch7x7dbl_5", 192, ACROSS],
  ],
  ["average", ["branch_pool", 192, 1]],
];

const blockD: Block = [
  [
    ["branch3x3_1", 192, 1],
    ["branch3x3_2", 320, 3, 2],
  ],
  [
    ["branch7x7x3_1", 192, 1],
    ["branch7x7x3_2", 192, ACROSS],
    ["branch7x7x3_3", 192, DOWN],
    ["branch7x7x3_4", 192, 3, 2],
  ],
  ["halve"],
];

const blockE = (pool: "average" | "max"): Block => [
  [["branch1x1", 320, 1]],
  [
    ["branch3x3_1", 384, 1],
    [
      ["branch3x3_2a", 384, [1, 3]],
      ["branch3x3_2b", 384, [3, 1]],
    ],
  ],
  [
    ["branch3x3dbl_1", 448, 1],
    ["branch3x3dbl_2", 384, 3],
    [
      ["branch3x3dbl_3a", 384, [1, 3]],
      ["branch3x3dbl_3b", 384, [3, 1]],
    ],
  ],
  [pool, ["branch_pool", 192, 1]],
];

type Pooling = "tensorflow" | "torchvision";

const blocks = (pooling: Pooling): Readonly<Record<string, Block>> => ({
  Mixed_5b: blockA(32), // [N, 256, 35, 35]
  Mixed_5c: blockA(64), // [N, 288, 35, 35]
  Mixed_5d: blockA(64),
  Mixed_6a: blockB, // [N, 768, 17, 17]
  Mixed_6b: blockC(128),
  Mixed_6c: blockC(160),
  Mixed_6d: blockC(160),
  Mixed_6e: blockC(192),
  Mixed_7a: blockD, // [N, 1280, 8, 8]
  Mixed_7b: blockE("average"), // [N, 2048, 8, 8]
  Mixed_7c: blockE(pooling === "tensorflow" ? "max" : "average"),
});

function convolved(x: Node, p: Parameters, [name, out, kernel, stride = 1]: Conv, padding?: 0): Node {
  const here = p(name);
  const bare = stride === 2 ? 0 : padding;
  const y = conv2d(x, here("conv"), { out, kernel, stride, padding: bare, bias: false });
  return relu(batchNorm(y, here("bn"), { epsilon: 1e-3 }));
}

/** The share of each window of three that lies inside a side. */
const shares = (side: number): number[] =>
  Array.from({ length: side }, (_, at) => (3 - Number(at === 0) - Number(at === side - 1)) / 3);

/** Mean of every 3×3 window; TensorFlow leaves the border out, torchvision counts its zeros. */
function averaged(x: Node, pooling: Pooling): Node {
  const y = averagePool(x, { kernel: 3, stride: 1, padding: 1 });
  const [height, width] = x.shape.slice(2) as [number, number];
  if (pooling === "torchvision") return y;
  return div(div(y, constant(shares(height), [height, 1])), constant(shares(width), [width]));
}

const isPair = (step: readonly unknown[]): step is readonly [Conv, Conv] => typeof step[0] !== "string";

function stepped(x: Node, p: Parameters, step: Step, pooling: Pooling): Node {
  if (step === "average") return averaged(x, pooling);
  if (step === "max") return maxPool(x, { kernel: 3, stride: 1, padding: 1 });
  if (step === "halve") return maxPool(x, { kernel: 3, stride: 2 });
  if (!isPair(step)) return convolved(x, p, step);
  return concat(
    step.map((one) => convolved(x, p, one)),
    1,
  );
}

const STEM: readonly (Conv | "halve")[] = [
  ["Conv2d_1a_3x3", 32, 3, 2], // [N, 32, 149, 149]
  ["Conv2d_2a_3x3", 32, 3], // [N, 32, 147, 147]
  ["Conv2d_2b_3x3", 64, 3], // [N, 64, 147, 147]
  "halve", // [N, 64, 73, 73]
  ["Conv2d_3b_1x1", 80, 1],
  ["Conv2d_4a_3x3", 192, 3], // [N, 192, 71, 71]
  "halve", // [N, 192, 35, 35]
];

/**
 * Inception v3 up to its pooled features, what published FID and KID figures stand on. Szegedy et al., "Rethinking the
 * Inception Architecture for Computer Vision". The weights of FID (TensorFlow's of 2015-12-05, as pytorch-fid keeps
 * them) and torchvision's have the same names and differ in pooling; which they are shows in their classes, 1008 and
 * 1000. The last layer and the auxiliary classifier are left out.
 */
export const inception = defineModel({
  name: "inception",
  summary: "Inception v3 without its classifier: the features of FID (Szegedy et al. 2015)",
  paper: "https://arxiv.org/abs/1512.00567",
  options: z.object({
    pooling: z.enum(["tensorflow", "torchvision"]).default("tensorflow").describe("whose pooling the weights expect"),
  }),
  input: () => [1, 3, 107, 107],
  build(x, p, { pooling }) {
    let y = fromUnit(x);
    for (const conv of STEM)
      y =
        conv === "halve"
          ? stepped(y, p, conv, pooling)
          : convolved(y, p, conv, conv[0] === "Conv2d_2b_3x3" ? undefined : 0);
    for (const [name, block] of Object.entries(blocks(pooling)))
      y = concat(
        block.map((steps) => steps.reduce((z, step) => stepped(z, p(name), step, pooling), y)),
        1,
      );
    return mean(y, [2, 3]); // [N, 2048]
  },
  adopt(weights) {
    const pooling = ({ 1008: "tensorflow", 1000: "torchvision" } as const)[weights["fc.bias"]?.shape[0] ?? 0];
    if (!pooling || !("Mixed_7c.branch3x3dbl_3b.conv.weight" in weights)) return undefined;
    const kept = Object.entries(weights).filter(([name]) => !/^(fc|AuxLogits)\.|num_batches_tracked$/.test(name));
    const usage = { task: "embed", size: 299, channels: 3, features: 2048 } as const;
    return { options: { pooling }, weights: Object.fromEntries(kept), usage };
  },
});
