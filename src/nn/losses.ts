import {
  abs,
  add,
  constant,
  equal,
  logSoftmax,
  mean,
  mul,
  type Node,
  neg,
  relu,
  reshape,
  softplus,
  sqrt,
  square,
  sub,
  sum,
  toFloat,
} from "../engine/index.ts";

/** Mean squared error of two nodes of one shape → a scalar. */
export const mse = (x: Node, target: Node): Node => mean(square(sub(x, target)));

/** Mean absolute error → a scalar. */
export const l1 = (x: Node, target: Node): Node => mean(abs(sub(x, target)));

/**
 * Mean of √(d² + ε²), a smooth L1. Charbonnier et al. 1994; ε = 1e-3 as in LapSRN, https://arxiv.org/abs/1704.03915.
 */
export const charbonnier = (x: Node, target: Node, epsilon = 1e-3): Node =>
  mean(sqrt(add(square(sub(x, target)), epsilon * epsilon)));

/**
 * Binary cross-entropy of raw scores with targets 0…1, in nats: mean(softplus(x) − x · target).
 * Stable for large scores: softplus is.
 */
export const bceWithLogits = (scores: Node, target: Node): Node => mean(sub(softplus(scores), mul(scores, target)));

/**
 * Non-saturating logistic loss of a discriminator's raw scores, in nats.
 * Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, section 3.
 * @param scores any shape @param real should they pass for real ones?
 */
export const logistic = (scores: Node, real: boolean): Node => mean(softplus(real ? neg(scores) : scores));

/**
 * Hinge loss of a discriminator's scores: mean(max(0, 1 ∓ score)). Lim & Ye 2017, https://arxiv.org/abs/1705.02894. The
 * generator's is −mean(score).
 */
export const hinge = (scores: Node, real: boolean): Node => mean(relu(real ? sub(1, scores) : add(1, scores)));

/**
 * Least squares GAN loss: mean((score − 1)²) for real, mean(score²) for fake. Mao et al. 2017,
 * https://arxiv.org/abs/1611.04076, without its ½.
 */
export const leastSquares = (scores: Node, real: boolean): Node => mean(square(real ? sub(scores, 1) : scores));

/**
 * Cross-entropy of logits [N, classes] with class numbers (int64 [N]), in nats, averaged over N.
 */
export function crossEntropy(logits: Node, labels: Node): Node {
  const [count, classes] = logits.shape as readonly [number, number];
  const each = constant(
    Array.from({ length: classes }, (_, k) => k),
    [1, classes],
    "int64",
  );
  const chosen = toFloat(equal(reshape(labels, [count, 1]), each)); // [N, classes], one 1 a row
  return mul(sum(mul(logSoftmax(logits, 1), chosen)), -1 / count);
}
