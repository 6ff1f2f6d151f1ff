import { input } from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import { crop, makePicture, makeSamples, type Picture, type Size } from "../../image/picture.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";

const multiples = [1, 2, 4, 8, 16, 32, 64];

const up = (side: number, multiple: number): number => Math.ceil(side / multiple) * multiple;

/**
 * The smallest size a network takes that holds the given one: networks that shrink inside want multiples of 4, 8, 16…
 * @param scale how many times wider and taller the network's output is
 * @throws UserError for a network that takes no such size
 */
export function fittingSize(
  { build, example: [, channels = 1], path }: LoadedModel,
  { width, height }: Size,
  scale: number,
): Size {
  for (const multiple of multiples) {
    const [w, h] = [up(width, multiple), up(height, multiple)];
    const shape = shapeOrNone(() => build(input("input", [1, channels, h, w])).shape);
    if (shape?.join() === [1, channels, h * scale, w * scale].join()) return { width: w, height: h };
  }
  throw userError(path, `expected a network that takes ${width}×${height} pixels, got one that takes other sizes`);
}

/** A network may well refuse a size. */
function shapeOrNone(make: () => readonly number[]): readonly number[] | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof Error && error.name === "UserError") return undefined;
    throw error;
  }
}

/** Repeats the last column and row until a picture has the given size. */
function extend(picture: Picture, { width, height }: Size): Picture {
  const { channels, depth, data } = picture;
  const out = makeSamples(depth, width * height * channels);
  for (let y = 0, o = 0; y < height; y++) {
    const row = Math.min(y, picture.height - 1) * picture.width;
    for (let x = 0; x < width; x++) {
      const from = (row + Math.min(x, picture.width - 1)) * channels;
      for (let c = 0; c < channels; c++) out[o++] = data[from + c]!;
    }
  }
  return makePicture({ width, height, channels, depth }, out);
}

/** Runs a network on a picture extended to a size that it takes, and cuts the result back. */
export async function runFitted(
  picture: Picture,
  { size, scale }: { readonly size: Size; readonly scale: number },
  run: (picture: Picture) => Promise<Picture>,
): Promise<Picture> {
  if (size.width === picture.width && size.height === picture.height) return run(picture);
  const large = await run(extend(picture, size));
  return crop(large, { x: 0, y: 0, width: picture.width * scale, height: picture.height * scale });
}
