import { input, receptiveField } from "../../engine/index.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";

/** How tiles join: as one run over the whole picture would be, or nearly so. */
export type Seams = "exact" | "approximate";

/** What tiles of a network need. */
export interface Tiling {
  /** Input pixels that a tile needs on each side of what is kept of it; Infinity makes the whole picture one tile. */
  readonly radius: number;
  readonly seams: Seams;
}

/**
 * How many input pixels to each side an output pixel of a network depends on, at most; Infinity where an op looks at
 * the whole picture or its row does not say. Tiles that overlap by twice as much join without a seam.
 */
export const radiusOf = (build: LoadedModel["build"], example: LoadedModel["example"]): number =>
  tilingOf({ build, example }).radius;

/**
 * The receptive field of a network, or the overlap that its definition calls good enough where that is the whole
 * picture. Seams are exact where every pixel of a tile sees what it sees in the whole picture, in the same phase of all
 * strides.
 */
export function tilingOf({ build, example, tiling }: Pick<LoadedModel, "build" | "example" | "tiling">): Tiling {
  const leaf = input("input", example);
  const { radius, grid } = receptiveField(build(leaf), leaf);
  if (radius < Infinity) return { radius, seams: grid === 1 ? "exact" : "approximate" };
  return tiling ? { radius: tiling.overlap, seams: "approximate" } : { radius, seams: "exact" };
}
