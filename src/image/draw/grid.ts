import { userError } from "../../errors.ts";
import type { Picture } from "../picture.ts";
import { canvasPicture, drawPicture, type Ink, makeCanvas, white } from "./canvas.ts";

export interface GridOptions {
  /** Pictures per row; as square as possible unless given. */
  readonly columns?: number;
  /** Pixels between pictures and around them. */
  readonly gap?: number;
  readonly background?: Ink;
  /** Each pixel becomes a square of this side. */
  readonly factor?: number;
}

/**
 * Lays pictures of one size out in rows, as the sample sheets of generative models are. 8-bit RGB.
 * @throws UserError for no pictures, or pictures of several sizes
 */
export const pictureGrid = (pictures: readonly Picture[], options: GridOptions = {}): Picture => {
  const [first] = pictures;
  if (!first) throw userError("grid", "expected at least one picture, got none");
  const { width, height } = first;
  const other = pictures.find((picture) => picture.width !== width || picture.height !== height);
  if (other)
    throw userError("grid", `expected pictures of ${width}×${height}, got one of ${other.width}×${other.height}`);
  const { columns = Math.ceil(Math.sqrt(pictures.length)), gap = 2, background = white, factor = 1 } = options;
  const [right, down] = [width * factor + gap, height * factor + gap];
  const rows = Math.ceil(pictures.length / columns);
  const canvas = makeCanvas({ width: columns * right + gap, height: rows * down + gap }, background);
  pictures.forEach((picture, i) => {
    drawPicture(canvas, picture, [gap + (i % columns) * right, gap + Math.floor(i / columns) * down], factor);
  });
  return canvasPicture(canvas);
};
