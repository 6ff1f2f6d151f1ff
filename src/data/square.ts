import { toGray, toRgb } from "../image/channels.ts";
import { makePicture, type Picture } from "../image/picture.ts";
import { middleSquare, plainPicture } from "../image/reduce.ts";
import { resize } from "../image/resize.ts";

/** The form that all pictures of a set are brought to. */
export interface SquareFormat {
  /** Side in pixels. */
  readonly size: number;
  /** 1 gray (BT.601 luma, full range), 3 RGB. */
  readonly channels: 1 | 3;
}

/** Rim in pixels that digits of 28 get to be 32: they are not blurred for the sake of a round number. */
const rim = 2;

/**
 * The middle square of a picture as size × size bytes: alpha laid over white, resized by Pillow's antialiased bicubic
 * interpolation; a square that is 4 pixels short gets its border repeated twice on every side instead.
 */
export function squarePicture(picture: Picture, { size, channels }: SquareFormat): Picture {
  const plain = plainPicture(picture);
  const square = middleSquare(channels === 1 ? toGray(plain) : toRgb(plain));
  if (square.width === size) return square;
  if (square.width + 2 * rim === size) return padded(square);
  return resize(square, { width: size, height: size }, { method: "bicubic", convention: "pillow" });
}

/** Repeats the border on every side. */
function padded({ width: side, channels, data }: Picture): Picture {
  const size = side + 2 * rim;
  const inside = (at: number): number => Math.min(side - 1, Math.max(0, at - rim));
  const out = new Uint8Array(size * size * channels);
  for (let y = 0, o = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const from = (inside(y) * side + inside(x)) * channels;
      for (let c = 0; c < channels; c++) out[o++] = data[from + c]!;
    }
  return makePicture({ width: size, height: size, channels }, out);
}
