import { flatten, toDepth } from "./channels.ts";
import { hasAlpha, type Picture } from "./picture.ts";

/** 8 bits without alpha (laid over white) and without the file's metadata: what is scored. */
export const plainPicture = (picture: Picture): Picture => {
  const eight = toDepth(picture, 8);
  const { metadata: _, ...rest } = hasAlpha(eight) ? flatten(eight, [255, 255, 255]) : eight;
  return rest;
};
