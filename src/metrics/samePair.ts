import { userError } from "../errors.ts";
import { colorsOf, type Picture } from "../image/picture.ts";

/** Throws unless two pictures have the same size, depth and number of colors. */
export const checkPair = (where: string, a: Picture, b: Picture): void => {
  const text = (p: Picture) => `${p.width}×${p.height}, ${colorsOf(p) === 1 ? "gray" : "RGB"}, ${p.depth} bits`;
  if (text(a) !== text(b))
    throw userError(where, `expected two pictures of one size and kind, got ${text(a)} and ${text(b)}`);
};
