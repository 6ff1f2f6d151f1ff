import { z } from "zod";
import {
  add,
  greater,
  input,
  mean,
  mul,
  type Node,
  neg,
  slice,
  softplus,
  stopGradient,
  sub,
  toFloat,
} from "../engine/index.ts";
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

/** What the players of a GAN minimize, of the discriminator's raw scores of real and of generated pictures. */
interface AdversarialLoss {
  /** L_D. */
  discriminator(real: Node, fake: Node): Node;
  /** L_G. */
  generator(fake: Node, real: Node): Node;
}

/** L_D of a loss of scores that should pass for real ones or not: that of the real pictures plus that of the fakes. */
const bothHalves =
  (lossOf: (scores: Node, isReal: boolean) => Node): AdversarialLoss["discriminator"] =>
  (real, fake) =>
    add(lossOf(real, true), lossOf(fake, false));
const negativeMean = (scores: Node): Node => neg(mean(scores));

/**
 * Relativistic: Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734, paired as in R3GAN, Huang et al. 2024,
 * https://arxiv.org/abs/2501.05441.
 */
const adversarialLosses: Readonly<Record<AdversarialOptions["loss"], AdversarialLoss>> = {
  logistic: { discriminator: bothHalves(logistic), generator: (fake) => logistic(fake, true) },
  hinge: { discriminator: bothHalves(hinge), generator: negativeMean },
  "least-squares": { discriminator: bothHalves(leastSquares), generator: (fake) => leastSquares(fake, true) },
  "wgan-gp": { discriminator: (real, fake) => sub(mean(fake), mean(real)), generator: negativeMean },
  relativistic: {
    discriminator: (real, fake) => mean(softplus(sub(fake, real))),
    generator: (fake, real) => mean(softplus(sub(real, fake))),
  },
};

/** The first rows of pictures or labels. */
export const firstRows = (x: Node, count: number): Node =>
  count === x.shape[0]
    ? x
    : slice(
        x,
        x.shape.map(() => 0),
        [count, ...x.shape.slice(1)],
      );

/** Shares of a batch on which lazy penalties are measured, a picture at least. */
export const shareOf = (batch: number, lazy: number): number => Math.max(1, Math.floor(batch / lazy));

/** A batch as the discriminator's side of a step has it. */
interface DiscriminatorPass {
  /** Real and generated pictures [N, C, H, W]. */
  readonly image: Node;
  readonly fake: Node;
  /** Raw scores of both. */
  readonly realScores: Node;
  readonly fakeScores: Node;
  /** Runs the discriminator on other pictures; the name tells their random numbers apart. */
  scoresOf(pictures: Node, name: string): Node;
}

/**
 * The sum of the penalties that were asked for; undefined for none. Lazy ones are measured on the first pictures of the
 * batch.
 */
function penaltyOf(pass: DiscriminatorPass, options: AdversarialOptions): Node | undefined {
  const { image, fake, realScores, fakeScores, scoresOf } = pass;
  const { loss, lazy, gradientPenalty } = options;
  const count = shareOf(image.shape[0]!, lazy);
  const isWhole = count === image.shape[0];
  const [fewReal, fewFake] = [firstRows(image, count), firstRows(fake, count)];
  const usual = loss === "relativistic" ? 1 : 0;
  const { r1 = usual, r2 = usual } = options;
  const penalties: Node[] = [];
  if (r1 > 0) penalties.push(zeroCentered(isWhole ? realScores : scoresOf(fewReal, "few real"), fewReal, r1));
  if (r2 > 0) penalties.push(zeroCentered(isWhole ? fakeScores : scoresOf(fewFake, "few made"), fewFake, r2));
  if (loss === "wgan-gp" && gradientPenalty > 0) {
    const mixed = between(fewReal, fewFake);
    penalties.push(oneCentered(scoresOf(mixed, "mixed"), mixed, gradientPenalty));
  }
  return penalties.length > 0 ? penalties.reduce(add) : undefined;
}

/**
 * How often the discriminator is right: about each picture, or about pairs where a score means something only beside
 * another.
 */
function rightOf(loss: AdversarialOptions["loss"], real: Node, fake: Node): Node {
  if (loss === "wgan-gp" || loss === "relativistic") return mean(toFloat(greater(real, fake)));
  const middle = loss === "least-squares" ? 0.5 : 0;
  return mul(add(mean(toFloat(greater(real, middle))), mean(toFloat(greater(middle, fake)))), 0.5);
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
  const scoresOf = (pictures: Node, name: string): Node => {
    const labels = label && { label: firstRows(label, pictures.shape[0]!) };
    return discriminator(augment ? diffAugment(pictures, name) : pictures, { training: true, given: labels ?? {} });
  };
  const codes = input("latent", [image.shape[0]!, latent], { noise: "normal" });
  const fake = generator(codes, { training: true, given: label ? { label } : {} });
  const [realScores, fakeScores] = [scoresOf(image, "real"), scoresOf(fake, "made")];
  const penalty = penaltyOf({ image, fake, realScores, fakeScores, scoresOf }, options);
  const lossOf = adversarialLosses[loss];
  const discriminatorLoss = lossOf.discriminator(realScores, fakeScores);
  return {
    discriminator: penalty ? add(discriminatorLoss, penalty) : discriminatorLoss,
    generator: lossOf.generator(fakeScores, realScores),
    metrics: {
      accuracy: stopGradient(rightOf(loss, realScores, fakeScores)),
      ...(penalty && { penalty: stopGradient(penalty) }),
    },
  };
}
