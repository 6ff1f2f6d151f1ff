import { add, gradient, input, mean, mul, type Node, sqrt, square, sub, sum } from "../engine/index.ts";

/**
 * Squared length [N] of the slope of scores [N, 1] by pictures [N, C, H, W] in −1…1, the range that papers state
 * weights for.
 */
function squaredSlope(scores: Node, image: Node): Node {
  const [slope] = gradient(sum(scores), [image]); // by pictures in 0…1: twice as steep
  return mul(sum(square(slope!), [1, 2, 3]), 0.25);
}

/**
 * R1 at real pictures, R2 at generated ones: half of γ times the squared slope of the score. Mescheder et al. 2018,
 * https://arxiv.org/abs/1801.04406, equation 9.
 */
export const zeroCentered = (scores: Node, image: Node, gamma: number): Node =>
  mul(mean(squaredSlope(scores, image)), gamma / 2);

/** WGAN-GP: λ (‖slope‖ − 1)². Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028, equation 3. */
export const oneCentered = (scores: Node, image: Node, weight: number): Node =>
  mul(mean(square(sub(sqrt(add(squaredSlope(scores, image), 1e-12)), 1))), weight);

/** A random point on the line between each real picture and a generated one. */
export function between(real: Node, fake: Node): Node {
  const share = input("share of real", [real.shape[0]!, 1, 1, 1], { noise: "uniform" });
  return add(fake, mul(sub(real, fake), share));
}
