import { internal } from "../../errors.ts";
import { crop, makePicture, makeSamples, type Picture, type Samples } from "../../image/picture.ts";
import { tileSpans } from "../../image/tiles.ts";

export interface Hooks {
  /** Looked at before every tile. */
  readonly signal?: AbortSignal;
  /** Called after every tile with the number done and the total. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface PictureTileOptions extends Hooks {
  /** Side of the largest rectangle worked on at a time, in pixels of the input. */
  readonly side: number;
  /** Pixels to each side that an output pixel depends on; Infinity makes the whole picture one tile. */
  readonly radius: number;
  /** How many times wider and taller `run` makes a tile. */
  readonly scale: number;
}

/**
 * Runs a network over overlapping squares of a picture and joins the results in samples: beside input and output,
 * memory holds one square. Equal to one run over the whole, except for the last bit of sums of another length.
 * @throws the signal's reason when it is aborted
 */
export async function mapPicture(
  picture: Picture,
  { side, radius, scale, signal, onProgress }: PictureTileOptions,
  run: (tile: Picture) => Promise<Picture>,
): Promise<Picture> {
  const overlap = radius === Infinity ? 0 : 2 * radius;
  const [w, h] = [picture.width, picture.height].map((length) =>
    radius === Infinity ? length : evenSide(length, Math.max(side, 2 * overlap + 1), overlap),
  ) as [number, number];
  const rows = tileSpans(picture.height, h, overlap);
  const columns = tileSpans(picture.width, w, overlap);
  const { channels, depth, metadata } = picture;
  const size = { width: picture.width * scale, height: picture.height * scale };
  const out = makeSamples(depth, size.width * size.height * channels);
  let done = 0;
  for (const row of rows)
    for (const column of columns) {
      signal?.throwIfAborted();
      const box = { x: column.start, y: row.start, width: w, height: h };
      const tile = await run(crop(picture, box));
      if (tile.width !== box.width * scale || tile.channels !== channels || tile.depth !== depth)
        throw internal(`a tile of ${box.width}×${box.height}×${channels} came back as ${tile.width}×${tile.channels}`);
      const [left, top, right, bottom] = [column.from, row.from, column.to, row.to].map((at) => at * scale) as Edges;
      paste(tile, out, { left, top, right, bottom, x: box.x * scale, y: box.y * scale, width: size.width });
      onProgress?.(++done, rows.length * columns.length);
    }
  return makePicture({ ...size, channels, depth }, out, metadata);
}

/** The side of equal tiles that cover a length without more overlap than they need; at most `side`. */
function evenSide(length: number, side: number, overlap: number): number {
  if (length <= side) return length;
  const count = Math.ceil((length - overlap) / (side - overlap));
  return Math.ceil((length + (count - 1) * overlap) / count);
}

type Edges = [left: number, top: number, right: number, bottom: number];

/** What is kept of a tile that starts at (x, y), in pixels of a result of the given width. */
interface Place {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function paste(tile: Picture, out: Samples, { left, top, right, bottom, x, y, width }: Place): void {
  const { channels, data } = tile;
  for (let row = top; row < bottom; row++) {
    const from = ((row - y) * tile.width + left - x) * channels;
    out.set(data.subarray(from, from + (right - left) * channels), (row * width + left) * channels);
  }
}
