import { option, userError } from "../../errors.ts";
import type { Picture, Size } from "../../image/picture.ts";
import { scaledSize } from "../../image/resize.ts";
import type { Convention } from "../../image/taps.ts";
import type { Seams } from "./receptiveField.ts";
import type { Hooks } from "./tiles.ts";

/** Something that enlarges pictures, one after the other. */
export interface Upscaler {
  /** "bicubic", "srcnn-x2". */
  readonly name: string;
  readonly scale: number;
  /**
   * "approximate" where a network is run on tiles that see a little less than in the whole picture: one that looks at
   * all of it, or shrinks it inside.
   */
  readonly seams: Seams;
  /**
   * Enlarges a picture. Gray stays gray, 16 bits stay 16 bits, alpha is enlarged by bicubic interpolation.
   */
  run(picture: Picture, hooks?: Hooks): Promise<Picture>;
  dispose(): Promise<void>;
}

/** The most pixels that a result may have: what the codec can write and memory can hold. */
const maxPixels = 2 ** 28;

/**
 * The size of a result: MATLAB rounds up, the others to the nearest. Refuses what would be too large.
 * @throws UserError for a result that would be too large
 */
export function enlargedSize(picture: Size, scale: number, convention: Convention): Size {
  const { width, height } =
    convention === "matlab"
      ? scaledSize(picture, scale)
      : { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) };
  if (width * height > maxPixels)
    throw userError(
      option("scale"),
      `expected a result of at most ${maxPixels} pixels, got ${picture.width}×${picture.height} · ${scale} = ${width}×${height}`,
      "Choose a smaller scale or cut the picture.",
    );
  return { width, height };
}
