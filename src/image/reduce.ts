import { flatten, toDepth } from "./channels.ts";
import { crop, hasAlpha, type Picture, type Size } from "./picture.ts";
import { resize } from "./resize.ts";

/** 8 bits without alpha (laid over white) and without the file's metadata: what is scored and learned from. */
export const plainPicture = (picture: Picture): Picture => {
  const eight = toDepth(picture, 8);
  const { metadata: _, ...rest } = hasAlpha(eight) ? flatten(eight, [255, 255, 255]) : eight;
  return rest;
};

const MATLAB_BICUBIC = { method: "bicubic", convention: "matlab" } as const;

/**
 * A picture `scale` times smaller by MATLAB's `imresize(…, "bicubic")`, antialiased: how the published benchmarks make
 * their small pictures.
 * @throws UserError unless both sides divide by the scale (`modcrop` cuts them so)
 */
export const reduced = (picture: Picture, scale: number): Picture =>
  resize(picture, { width: picture.width / scale, height: picture.height / scale }, MATLAB_BICUBIC);

/** A picture at another size by MATLAB's bicubic interpolation: what networks with an enlarged input are given. */
export const enlargedTo = (size: Size, picture: Picture): Picture => resize(picture, size, MATLAB_BICUBIC);

/** The largest square in the middle of a picture; where a pixel is left over, it is on the right or below. */
export const middleSquare = (picture: Picture): Picture => {
  const { width, height } = picture;
  if (width === height) return picture;
  const side = Math.min(width, height);
  return crop(picture, { x: (width - side) >> 1, y: (height - side) >> 1, width: side, height: side });
};
