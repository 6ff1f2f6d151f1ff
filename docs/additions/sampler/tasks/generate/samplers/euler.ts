import { add, div, log, mul, sqrt, sub } from "../../../engine/index.ts";
import type { Sampler } from "./sampler.ts";

/**
 * Euler's method on the probability flow: dx = ½ (x − ε / √(1 − ᾱ)) d log ᾱ. Song et al. 2021, equation 13, with the variance
 * preserving process, of which −d log ᾱ is β dt.
 */
export const euler: Sampler = {
  name: "euler",
  paper: "https://arxiv.org/abs/2011.13456",
  steps: 100,
  isRandom: false,
  next(x, epsilon, _, { alphaBar, alphaBarNext }) {
    const slope = mul(sub(x, div(epsilon, sqrt(sub(1, alphaBar)))), 0.5);
    return add(x, mul(slope, sub(log(alphaBarNext), log(alphaBar))));
  },
};
