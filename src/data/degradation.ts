import type { Picture } from "../image/picture.ts";
import { reduced } from "../image/reduce.ts";
import type { Random } from "../tensor/random.ts";

/** How a reduced copy of a picture comes about. Pictures are 8-bit RGB; the copy is `scale` times smaller. */
export interface Degradation {
  /** The copy of the whole picture, made once when it is opened. */
  reduce(picture: Picture, scale: number): Picture;
  /** What happens to each patch of the copy anew, drawn from the stream of its step: noise, compression. Same size. */
  spoil?(patch: Picture, draw: Random): Picture | Promise<Picture>;
}

/** MATLAB's bicubic reduction, that of the published benchmarks. */
export const bicubicReduction: Degradation = { reduce: reduced };
