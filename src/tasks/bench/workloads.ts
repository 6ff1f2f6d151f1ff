import { z } from "zod";
import type { Batch } from "../../data/kind.ts";
import { add, block, depthToSpace, input, type Node, prelu, relu, sigmoid } from "../../engine/index.ts";
import { conv2d, linear } from "../../nn/layers.ts";
import { mse } from "../../nn/losses.ts";
import { defineModel, givenLeaves, network, type Parameters } from "../../nn/model.ts";
import { adam } from "../../nn/optimizers.ts";
import { dcgan as dcganRecipe } from "../../recipes/dcgan.ts";
import { ddpm } from "../../recipes/ddpm.ts";
import type { Networks, RecipeDefinition } from "../../recipes/index.ts";
import { pix2pix as pix2pixRecipe } from "../../recipes/pix2pix.ts";
import { stylegan2 as stylegan2Recipe } from "../../recipes/stylegan2.ts";
import type { Shape } from "../../tensor/tensor.ts";
import { openRecipe } from "../../train/step.ts";
import type { Workload } from "./workload.ts";

/** One network under mean squared error and Adam. */
interface Regression {
  readonly name: string;
  readonly summary: string;
  readonly input: Shape;
  readonly target: Shape;
  build(x: Node, p: Parameters): Node;
}

function regression({ name, summary, input: shape, target, build }: Regression): Workload {
  const open = () =>
    network(defineModel({ name, summary, paper: "", options: z.object({}), input: () => shape, build }));
  return {
    name,
    summary,
    step() {
      const net = open();
      const loss = mse(net(input("input", shape), { training: true }), input("target", target));
      return {
        networks: [net],
        plan: { turns: { [name]: { moves: [name], loss, optimizer: adam() } } },
        numbers: (step) => ({ step, learningRate: 1e-4 }),
      };
    },
    forward() {
      const net = open();
      return { network: net, output: net(input("input", shape)) };
    },
  };
}

/** A recipe's step as `imago train` runs it, and the network that is its result. */
function training<O extends z.ZodObject, N extends Networks, B extends Batch>(
  { name, summary }: Pick<Workload, "name" | "summary">,
  recipe: RecipeDefinition<O, N, B>,
  given: z.input<O>,
): Workload & Required<Pick<Workload, "forward">> {
  const open = () =>
    openRecipe(recipe as unknown as RecipeDefinition, { options: recipe.options.parse(given), steps: 1000 });
  return {
    name,
    summary,
    step() {
      const [stage] = open().stages;
      return {
        plan: stage.plan(),
        networks: stage.networks(),
        numbers: (step) => ({ step, learningRate: stage.rate(step), emaDecay: stage.emaDecay(step) }),
      };
    },
    forward() {
      const {
        data: { batch },
        results: [{ network: used }],
      } = open();
      const [, ...shape] = used.model.input(used.options);
      const output = used(input("input", [batch, ...shape]), { given: givenLeaves(used.model, used.options, batch) });
      return { network: used, output };
    },
  };
}

const autoencoder = regression({
  name: "autoencoder",
  summary: "dense autoencoder 784-32-784, batch 256",
  input: [256, 784],
  target: [256, 784],
  build: (x, p) => sigmoid(linear(relu(linear(x, p("encode"), { out: 32 })), p("decode"), { out: 784 })),
});

const srcnn = regression({
  name: "srcnn",
  summary: "SRCNN 9-5-5 on luma, 16 patches of 96×96",
  input: [16, 1, 96, 96],
  target: [16, 1, 96, 96],
  build(x, p) {
    const extracted = relu(conv2d(x, p("extract"), { out: 64, kernel: 9 }));
    const mapped = relu(conv2d(extracted, p("map"), { out: 32, kernel: 5 }));
    return conv2d(mapped, p("rebuild"), { out: 1, kernel: 5 });
  },
});

/**
 * Ledig et al. 2017, https://arxiv.org/abs/1609.04802, without batch norm and with one slope per PReLU.
 * @param parts of the batch that are enlarged by a block of their own
 */
const srresnetBy = (parts: number): Workload =>
  regression({
    name: "srresnet",
    summary: "SRResNet ×4, 16 blocks of 64 channels, 16 patches of 24×24",
    input: [16, 3, 24, 24],
    target: [16, 3, 96, 96],
    build(x, p) {
      const conv = (y: Node, name: string, out = 64, kernel = 3): Node => conv2d(y, p(name), { out, kernel });
      const rectify = (y: Node, name: string): Node =>
        prelu(y, p(name).weight("slope", [1], { kind: "constant", value: 0.25 }));
      const head = rectify(conv(x, "head", 64, 9), "head"); // [N, 64, 24, 24]
      let y = head;
      const residual = (x: Node, name: string): Node =>
        add(x, conv(rectify(conv(x, `${name}.first`), name), `${name}.second`));
      for (const first of [0, 4, 8, 12])
        y = block([y], (x) => [0, 1, 2, 3].reduce((z, at) => residual(z, `body.${first + at}`), x));
      y = add(head, conv(y, "join"));
      const double = (z: Node, stage: string): Node => rectify(depthToSpace(conv(z, stage, 256), 2), stage);
      const enlarge = (z: Node): Node => conv(double(double(z, "up.0"), "up.1"), "tail", 3, 9); // [N, 3, 96, 96]
      return block([y], enlarge, { parts });
    },
  });

const srresnet = srresnetBy(1);
const srresnetRemat: Workload = {
  name: "srresnet-remat",
  summary: "the same with its blocks computed again in the backward pass, those on large maps in parts of the batch",
  step() {
    const work = srresnetBy(8).step();
    return { ...work, plan: { ...work.plan, remat: true } };
  },
};

const dcgan = training(
  { name: "dcgan", summary: "DCGAN on 32×32 RGB, 64 channels, batch 64: both updates" },
  dcganRecipe,
  { size: 32, channels: 3, width: 64, batch: 64 },
);

const styles = { size: 32, width: 32, most: 256, latent: 128, mapping: 8, batch: 32 } as const;
const stylegan2 = training(
  { name: "stylegan2", summary: "StyleGAN2 on 32×32 RGB, batch 32, without penalties: both updates" },
  stylegan2Recipe,
  { ...styles, r1: 0, pathLength: 0 },
);
const { forward: _, ...regularized } = training(
  { name: "stylegan2-r1", summary: "the same with R1 and path length, each on a part of the batch" },
  stylegan2Recipe,
  styles,
);

const pix2pix = training(
  { name: "pix2pix", summary: "pix2pix on 256×256 RGB, U-Net and PatchGAN of 32 channels, batch 1: both updates" },
  pix2pixRecipe,
  { size: 256, width: 32, batch: 1 },
);

const diffusion = training(
  { name: "diffusion", summary: "diffusion U-Net of 64, 128, 128 channels on 32×32 RGB, attention at 16×16, batch 32" },
  ddpm,
  { size: 32, width: 64, multipliers: [1, 2, 2], blocks: 2, attention: [16], ema: 0, batch: 32 },
);

/** What is left of a step when there is nothing to compute. */
const tiny = regression({
  name: "tiny",
  summary: "a 4×4 matrix, batch 1: the overhead of a step",
  input: [1, 4],
  target: [1, 4],
  build: (x, p) => linear(x, p("only"), { out: 4 }),
});

export const workloads: readonly Workload[] = [
  autoencoder,
  srcnn,
  srresnet,
  srresnetRemat,
  dcgan,
  stylegan2,
  regularized,
  pix2pix,
  diffusion,
  tiny,
];
