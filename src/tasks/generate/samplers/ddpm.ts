import { type Sampler, stepOf } from "./sampler.ts";

/** Ancestral sampling: each step adds noise. Ho et al. 2020, algorithm 2, which takes all of a thousand steps. */
export const ddpm: Sampler = {
  name: "ddpm",
  paper: "https://arxiv.org/abs/2006.11239",
  steps: 250,
  isRandom: true,
  next: stepOf(1),
};
