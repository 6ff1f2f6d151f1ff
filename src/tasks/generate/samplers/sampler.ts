import { add, clip, div, mul, type Node, sqrt, sub } from "../../../engine/index.ts";

/** The noise in a picture at a time and at the next, less noisy one: scalars ᾱ of the schedule, 1 at the end. */
export interface Levels {
  readonly alphaBar: Node;
  readonly alphaBarNext: Node;
}

/** A way from noise to pictures, step by step. */
export interface Sampler {
  readonly name: string;
  readonly paper: string;
  /** Steps unless a number is given. */
  readonly steps: number;
  /** Whether a step adds noise of its own. */
  readonly isRandom: boolean;
  /**
   * A picture at the next time from one at this time, both [N, C, S, S] in −1…1 plus noise.
   * @param epsilon the noise that the network finds in x     @param z fresh noise N(0, 1); not read where `isRandom` is false
   */
  next(x: Node, epsilon: Node, z: Node, levels: Levels): Node;
}

/** The picture that x is made of by the noise in it, kept in −1…1: Ho et al. 2020, equation 15 and section 3.2. */
const pictureIn = (x: Node, epsilon: Node, alphaBar: Node): Node =>
  clip(div(sub(x, mul(epsilon, sqrt(sub(1, alphaBar)))), sqrt(alphaBar)), -1, 1);

/**
 * A step of the family of Song et al. 2020, https://arxiv.org/abs/2010.02502, equations 12 and 16. η = 0 is DDIM, η = 1 DDPM.
 * The noise is found again from the picture kept in −1…1.
 */
export function stepOf(eta: 0 | 1): Sampler["next"] {
  return (x, epsilon, z, { alphaBar, alphaBarNext }) => {
    const picture = pictureIn(x, epsilon, alphaBar);
    const noise = div(sub(x, mul(picture, sqrt(alphaBar))), sqrt(sub(1, alphaBar)));
    if (eta === 0) return add(mul(picture, sqrt(alphaBarNext)), mul(noise, sqrt(sub(1, alphaBarNext))));
    const ratio = div(sub(1, alphaBarNext), sub(1, alphaBar));
    const variance = mul(ratio, sub(1, div(alphaBar, alphaBarNext))); // σ²
    const direction = mul(noise, sqrt(sub(sub(1, alphaBarNext), variance)));
    return add(add(mul(picture, sqrt(alphaBarNext)), direction), mul(z, sqrt(variance)));
  };
}
