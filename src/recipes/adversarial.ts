import { z } from "zod";
import { add, greater, input, mean, mul, type Node, neg, slice, softplus, stopGradient, sub, toFloat } from "../engine/index.ts"; // biome-ignore format: one line
import { diffAugment } from "../nn/augment.ts";
import { hinge, leastSquares, logistic } from "../nn/losses.ts";
import type { Network } from "../nn/model.ts";
import { adam } from "../nn/optimizers.ts";
import { constantRate } from "../nn/schedules.ts";
import { between, oneCentered, zeroCentered } from "./penalties.ts";
import { type Move, move, type StepParts } from "./recipe.ts";

const penalty = z.number().min(0).max(1000).optional();

/** How discriminator and generator are scored. */
export const adversarialOptions = {
  loss: z
    .enum(["logistic", "hinge", "least-squares", "wgan-gp", "relativistic"])
    .default("logistic")
    .describe("non-saturating logistic, hinge, least squares, Wasserstein with gradient penalty, or relativistic (R3GAN)"),
  r1: penalty.describe("weight γ of R1, the penalty at real pictures; 0 unless given, 1 with relativistic"),
  r2: penalty.describe("weight γ of R2, the penalty at made pictures; 0 unless given, 1 with relativistic"),
  gradientPenalty: z.number().min(0).max(1000).default(10).describe("weight λ of the gradient penalty of wgan-gp"),
  lazy: z.int().min(1).max(64).default(1).describe("penalties are measured on one in so many pictures of a step"),
  halfLife: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(10_000)
    .describe("half-life of the moving average of weights that is kept as the result, in pictures"),
  flip: z.boolean().default(false).describe("mirror half of the pictures"),
  augment: z.boolean().default(false).describe("DiffAugment, for small sets: random colors, shifts and holes"),
}; // biome-ignore format: a table

export type AdversarialOptions = z.infer<z.ZodObject<typeof adversarialOptions>>;

/** Decay of the moving average at a step, shorter at first. Karras et al. 2018, section 6: half-lives in pictures. */
export const averageDecay = (
  { batch, halfLife }: { readonly batch: number; readonly halfLife: number },
  step: number,
): number => 0.5 ** (batch / Math.min(halfLife, 0.05 * step * batch));

/** The networks of a GAN, and what they are shown. */
export interface Players {
  readonly generator: Network;
  readonly discriminator: Network;
  /** Real pictures [N, C, H, W] and, where there are classes, their labels [N]. */
  readonly image: Node;
  readonly label?: Node | undefined;
  readonly latent: number;
}

interface Scored {
  /** The discriminator's loss of raw scores of real and of made pictures. */
  judge(real: Node, made: Node): Node;
  /** The generator's. */
  fool(made: Node, real: Node): Node;
}

const apart = (judge: (scores: Node, real: boolean) => Node): Scored["judge"] => {
  return (real, made) => add(judge(real, true), judge(made, false));
};
const raise = (made: Node): Node => neg(mean(made));

/** Relativistic: Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734, paired as in R3GAN, Huang et al. 2024, https://arxiv.org/abs/2501.05441. */
const scored: Readonly<Record<AdversarialOptions["loss"], Scored>> = {
  logistic: { judge: apart(logistic), fool: (made) => logistic(made, true) },
  hinge: { judge: apart(hinge), fool: raise },
  "least-squares": { judge: apart(leastSquares), fool: (made) => leastSquares(made, true) },
  "wgan-gp": { judge: (real, made) => sub(mean(made), mean(real)), fool: raise },
  relativistic: {
    judge: (real, made) => mean(softplus(sub(made, real))),
    fool: (made, real) => mean(softplus(sub(real, made))),
  },
};

/** The first rows of pictures or labels. */
export const firstRows = (x: Node, count: number): Node =>
  count === x.shape[0] ? x : slice(x, x.shape.map(() => 0), [count, ...x.shape.slice(1)]); // biome-ignore format: one line

/** Shares of a batch on which lazy penalties are measured, a picture at least. */
export const shareOf = (batch: number, lazy: number): number => Math.max(1, Math.floor(batch / lazy));

/** A batch as the discriminator's side of a step sees it. */
interface Judged {
  readonly image: Node;
  readonly fake: Node;
  /** Raw scores of both. */
  readonly real: Node;
  readonly made: Node;
  /** Raw scores of other pictures; the name tells their random numbers apart. */
  see(pictures: Node, name: string): Node;
}

/** The sum of the penalties that were asked for; undefined for none. Lazy ones are measured on the first pictures of the batch. */
function penaltyOf({ image, fake, real, made, see }: Judged, options: AdversarialOptions): Node | undefined {
  const { loss, lazy, gradientPenalty } = options;
  const count = shareOf(image.shape[0]!, lazy);
  const isWhole = count === image.shape[0];
  const [fewReal, fewMade] = [firstRows(image, count), firstRows(fake, count)];
  const usual = loss === "relativistic" ? 1 : 0;
  const { r1 = usual, r2 = usual } = options;
  const penalties: Node[] = [];
  if (r1 > 0) penalties.push(zeroCentered(isWhole ? real : see(fewReal, "few real"), fewReal, r1));
  if (r2 > 0) penalties.push(zeroCentered(isWhole ? made : see(fewMade, "few made"), fewMade, r2));
  if (loss === "wgan-gp" && gradientPenalty > 0) {
    const mixed = between(fewReal, fewMade);
    penalties.push(oneCentered(see(mixed, "mixed"), mixed, gradientPenalty));
  }
  return penalties.length > 0 ? penalties.reduce(add) : undefined;
}

/** How often the discriminator is right: about each picture, or about pairs where a score means something only beside another. */
function rightOf(loss: AdversarialOptions["loss"], real: Node, made: Node): Node {
  if (loss === "wgan-gp" || loss === "relativistic") return mean(toFloat(greater(real, made)));
  const middle = loss === "least-squares" ? 0.5 : 0;
  return mul(add(mean(toFloat(greater(real, middle))), mean(toFloat(greater(middle, made)))), 0.5);
}

/** What the players of a GAN are moved by, and what is shown besides. */
export interface AdversarialScores {
  readonly discriminator: Node;
  readonly generator: Node;
  /** How often the discriminator is right, and the penalties. */
  readonly metrics: Readonly<Record<string, Node>>;
}

/** A GAN's step: the discriminator moves first, and the generator is judged by it as it then is. */
export const adversarialStep = (
  { generator, discriminator }: Pick<Players, "generator" | "discriminator">,
  scores: AdversarialScores,
  how: Move,
): StepParts => ({
  turns: {
    discriminator: move(discriminator, scores.discriminator, how),
    generator: move(generator, scores.generator, how),
  },
  metrics: scores.metrics,
});

/** What a plain GAN is stepped with. */
export interface PlainOptions extends AdversarialOptions {
  /** Numbers of a code. */
  readonly latent: number;
  /** Of both networks. */
  readonly learningRate: number;
}

/** The step of Radford et al. 2016: Adam with β₁ = 0.5 at one rate for both players. */
export const plainStep = (
  { generator, discriminator }: Pick<Players, "generator" | "discriminator">,
  { image, label }: Pick<Players, "image" | "label">,
  options: PlainOptions,
): StepParts =>
  adversarialStep(
    { generator, discriminator },
    adversarial({ generator, discriminator, image, label, latent: options.latent }, options),
    { optimizer: adam({ beta1: 0.5 }), rate: constantRate(options.learningRate) },
  );

/** The losses of a GAN over a batch. */
export function adversarial(
  { generator, discriminator, image, label, latent }: Players,
  options: AdversarialOptions,
): AdversarialScores {
  const { loss, augment } = options;
  const see = (pictures: Node, name: string): Node => {
    const labels = label && { label: firstRows(label, pictures.shape[0]!) };
    return discriminator(augment ? diffAugment(pictures, name) : pictures, { training: true, given: labels ?? {} });
  };
  const codes = input("latent", [image.shape[0]!, latent], { noise: "normal" });
  const fake = generator(codes, { training: true, given: label ? { label } : {} });
  const [real, made] = [see(image, "real"), see(fake, "made")];
  const penalty = penaltyOf({ image, fake, real, made, see }, options);
  const { judge, fool } = scored[loss];
  const judged = judge(real, made);
  return {
    discriminator: penalty ? add(judged, penalty) : judged,
    generator: fool(made, real),
    metrics: {
      accuracy: stopGradient(rightOf(loss, real, made)),
      ...(penalty && { penalty: stopGradient(penalty) }),
    },
  };
}
