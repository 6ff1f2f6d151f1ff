import { makePicture, type Picture } from "../../src/image/picture.ts";

/** A square of one gray in RGB. */
export const flat = (value: number, side = 16): Picture =>
  makePicture({ width: side, height: side, channels: 3 }, new Uint8Array(side * side * 3).fill(value));
