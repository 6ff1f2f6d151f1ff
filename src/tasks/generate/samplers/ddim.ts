import { type Sampler, stepOf } from "./sampler.ts";

/** DDIM: no noise but that of the start, so that few steps do and pictures can be walked between. Song et al. 2020. */
export const ddim: Sampler = {
  name: "ddim",
  paper: "https://arxiv.org/abs/2010.02502",
  steps: 50,
  isRandom: false,
  next: stepOf(0),
};
