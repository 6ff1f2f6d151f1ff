import { z } from "zod";
import {
  add,
  gradient,
  greater,
  input,
  mean,
  mul,
  type Node,
  neg,
  square,
  stopGradient,
  sum,
  toFloat,
} from "../engine/index.ts";
import { hinge, leastSquares, logistic } from "../nn/losses.ts";
import type { CallOptions, Network } from "../nn/model.ts";

/** How discriminator and generator are scored. */
export const adversarialOptions = {
  loss: z
    .enum(["logistic", "hinge", "least-squares"])
    .default("logistic")
    .describe("non-saturating logistic, hinge or least squares"),
  r1: z.number().min(0).max(1000).default(0).describe("weight γ of the R1 penalty; 0 for none"),
};

interface AdversarialOptions {
  readonly loss: "logistic" | "hinge" | "least-squares";
  readonly r1: number;
}

interface Players {
  readonly generator: Network;
  readonly discriminator: Network;
  /** Real pictures [N, C, H, W] and, where there are classes, their labels [N]. */
  readonly image: Node;
  readonly label?: Node | undefined;
  readonly latent: number;
}

const scored = {
  logistic: { judge: logistic, fool: (scores: Node) => logistic(scores, true) },
  hinge: { judge: hinge, fool: (scores: Node) => neg(mean(scores)) },
  "least-squares": { judge: leastSquares, fool: (scores: Node) => leastSquares(scores, true) },
} as const;

/** R1: half of γ times the squared norm of the score's gradient at real pictures. Mescheder et al. 2018, https://arxiv.org/abs/1801.04406. */
function r1Penalty(scores: Node, image: Node, gamma: number): Node {
  const [slope] = gradient(sum(scores), [image]);
  return mul(sum(square(slope!)), gamma / 2 / image.shape[0]!);
}

/**
 * The two losses of a GAN step, the discriminator's first: the generator is judged by the discriminator that just moved.
 * Shown besides: how often the discriminator is right, and the penalty.
 */
export function adversarial(
  { generator, discriminator, image, label, latent }: Players,
  { loss, r1 }: AdversarialOptions,
): Readonly<Record<string, Node>> {
  const { judge, fool } = scored[loss];
  const call: CallOptions = { training: true, given: label ? { label } : {} };
  const fake = generator(input("latent", [image.shape[0]!, latent], { noise: "normal" }), call);
  const [real, made] = [discriminator(image, call), discriminator(fake, call)];
  const judged = add(judge(real, true), judge(made, false));
  const penalty = r1 > 0 ? r1Penalty(real, image, r1) : undefined;
  const right = mul(add(mean(toFloat(greater(real, 0))), mean(toFloat(greater(0, made)))), 0.5);
  return {
    discriminator: penalty ? add(judged, penalty) : judged,
    generator: fool(made),
    accuracy: stopGradient(right),
    ...(penalty && { penalty: stopGradient(penalty) }),
  };
}
