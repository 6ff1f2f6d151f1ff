import { add, concat, input, mul, type Node, stopGradient } from "../../engine/index.ts";
import { patchGan } from "../../models/patchGan.ts";
import { unet } from "../../models/unet.ts";
import { l1, logistic } from "../../nn/losses.ts";
import { network } from "../../nn/model.ts";
import { adam } from "../../nn/optimizers.ts";
import type { StepWork, Workload } from "./workload.ts";

export interface Pix2pixWork {
  readonly size: 16 | 32 | 64 | 128 | 256 | 512;
  readonly width: number;
  readonly batch: number;
}

/** λ of the paper, for pictures in −1…1: twice the difference that 0…1 shows. */
const LAMBDA = 100;

const networksOf = ({ size, width }: Pix2pixWork) => ({
  generator: network(unet, { size, width }, "generator"),
  discriminator: network(patchGan, { width }, "discriminator"),
});

/**
 * A step of pix2pix: the conditional discriminator moves, at half its loss, then the generator against it and towards the
 * target. Isola et al. 2017, https://arxiv.org/abs/1611.07004, sections 3.1 and 3.3. Inputs: source, target [N, 3, S, S] in 0…1.
 */
export function pix2pixWork(options: Pix2pixWork): StepWork {
  const { generator, discriminator } = networksOf(options);
  const shape = [options.batch, 3, options.size, options.size];
  const [source, target] = [input("source", shape), input("target", shape)];
  const made = generator(source, { training: true });
  const judge = (picture: Node): Node => discriminator(concat([source, picture], 1), { training: true });
  const judged = add(logistic(judge(target), true), logistic(judge(stopGradient(made)), false));
  const fooled = add(logistic(judge(made), true), mul(l1(made, target), 2 * LAMBDA));
  return {
    networks: [generator, discriminator],
    plan: {
      turns: {
        discriminator: { moves: ["discriminator"], loss: mul(judged, 0.5), optimizer: adam({ beta1: 0.5 }) },
        generator: { moves: ["generator"], loss: fooled, optimizer: adam({ beta1: 0.5 }) },
      },
    },
    numbers: (step) => ({ step, learningRate: 2e-4 }),
  };
}

const options: Pix2pixWork = { size: 256, width: 32, batch: 1 };
export const pix2pix: Workload = {
  name: "pix2pix",
  summary: "pix2pix on 256×256 RGB, U-Net and PatchGAN of 32 channels, batch 1: both updates",
  step: () => pix2pixWork(options),
  forward() {
    const { generator } = networksOf(options);
    return { network: generator, output: generator(input("source", [1, 3, 256, 256])) };
  },
};
