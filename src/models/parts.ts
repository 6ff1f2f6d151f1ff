import { z } from "zod";
import type { Node } from "../engine/index.ts";
import type { Parameters } from "../nn/model.ts";
import { batchNorm, classBatchNorm } from "../nn/norms.ts";

/** Options of networks that take or make pictures of one size. */
export const pictureSizes = {
  size: z.int().min(8).max(256).default(28).describe("side of the pictures, in pixels"),
  channels: z.literal([1, 3]).default(1).describe("planes per picture: 1 gray, 3 RGB"),
};

/** Sizes that generators share. */
export const generatorSizes = {
  ...pictureSizes,
  latent: z.int().min(1).max(1024).default(100).describe("random numbers per picture"),
  classes: z.int().min(0).max(1000).default(0).describe("classes to choose from; 0 for none"),
};

/** Of discriminators without batch normalization. */
export const spectralOption = z
  .enum(["none", "spectral"])
  .default("none")
  .describe("spectral normalization of the discriminator, or none");

/** The label, where a network has classes. */
export const labelled = ({ classes }: { readonly classes: number }) =>
  classes > 0 ? { label: { shape: [1], dtype: "int64" as const } } : ({} as Record<string, never>);

/** Batch normalization, with gains and shifts by class where there are classes. */
export const labelledNorm = (
  x: Node,
  p: Parameters,
  classes: number,
  { label }: Readonly<Record<string, Node>>,
): Node => (classes > 0 ? classBatchNorm(x, p, label!, classes) : batchNorm(x, p));
