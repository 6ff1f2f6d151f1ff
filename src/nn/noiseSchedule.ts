import { add, exp, mul, type Node, square } from "../engine/index.ts";

/**
 * β at time 0 and at time 1 of the linear schedule of Ho et al. 2020 (1e-4 … 0.02 in a thousand steps) in continuous
 * time.
 */
const [BETA_MIN, BETA_MAX] = [0.1, 20] as const;

/**
 * ᾱ, the share of the picture's variance that is left at a time of 0…1: 1 at 0, almost 0 at 1. Ho et al. 2020,
 * https://arxiv.org/abs/2006.11239, section 2, in the limit of many steps: Song et al. 2021,
 * https://arxiv.org/abs/2011.13456, equation 33 (its square).
 */
export const alphaBarAt = (time: number): number =>
  Math.exp(-(BETA_MIN * time + 0.5 * (BETA_MAX - BETA_MIN) * time ** 2));

/** The same of times [N] as nodes. */
export const alphaBarOf = (time: Node): Node =>
  exp(mul(add(mul(time, BETA_MIN), mul(square(time), 0.5 * (BETA_MAX - BETA_MIN))), -1));
