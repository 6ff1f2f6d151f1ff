import type { z } from "zod";
import { add, exp, input, mul, type Node, reshape, sqrt, square, sub } from "../../engine/index.ts";
import { diffusionUnet } from "../../models/diffusionUnet.ts";
import { mse } from "../../nn/losses.ts";
import { network } from "../../nn/model.ts";
import { adam } from "../../nn/optimizers.ts";
import type { StepWork, Workload } from "./workload.ts";

export interface DiffusionWork extends z.input<typeof diffusionUnet.options> {
  readonly size: 16 | 32 | 64 | 128 | 256;
  readonly batch: number;
}

/** What is left of the picture at a time of 0…1: √ᾱ, for variances that rise from 0.1 to 20 in unit time. */
const keptOf = (time: Node): Node => exp(mul(add(mul(time, 0.1), mul(square(time), 0.5 * (20 - 0.1))), -0.5));

/**
 * A step of denoising diffusion: pictures at times of their own, and the noise to be found in them. Ho et al. 2020,
 * https://arxiv.org/abs/2006.11239, algorithm 1, at any time between its thousand: the limit of its schedule for many steps,
 * Song et al. 2021, https://arxiv.org/abs/2011.13456, equation 33. Input: image [N, 3, S, S] in 0…1.
 */
export function diffusionWork({ batch, ...options }: DiffusionWork): StepWork {
  const net = network(diffusionUnet, options, "diffusion");
  const shape = [batch, 3, options.size, options.size];
  const time = input("time", [batch], { noise: "uniform" });
  const noise = input("noise", shape, { noise: "normal" });
  const kept = reshape(keptOf(time), [batch, 1, 1, 1]);
  const picture = sub(mul(input("image", shape), 2), 1);
  const noisy = add(mul(picture, kept), mul(noise, sqrt(sub(1, square(kept)))));
  const found = net(noisy, { training: true, given: { time: mul(time, 1000) } });
  return {
    networks: [net],
    plan: { turns: { diffusion: { moves: ["diffusion"], loss: mse(found, noise), optimizer: adam() } } },
    numbers: (step) => ({ step, learningRate: 2e-4 }),
  };
}

const options: DiffusionWork = { size: 32, width: 64, multipliers: [1, 2, 2], dropout: 0, batch: 32 };
export const diffusion: Workload = {
  name: "diffusion",
  summary: "diffusion U-Net of 64, 128, 128 channels on 32×32 RGB, attention at 16×16, batch 32",
  step: () => diffusionWork(options),
  forward() {
    const { batch, ...rest } = options;
    const net = network(diffusionUnet, rest, "diffusion");
    const given = { time: input("time", [batch]) };
    return { network: net, output: net(input("input", [batch, 3, 32, 32]), { given }) };
  },
};
