import { internal, userError } from "../errors.ts";
import type { Planes } from "./planes.ts";

export interface TileOptions {
  /** Side of the square worked on at a time, in input pixels. */
  readonly side: number;
  /** Pixels that neighboring squares share; at least the network's receptive field makes the seams exact. */
  readonly overlap: number;
  /** How many times wider and taller `run` makes a tile; a whole number. */
  readonly scale: number;
  /** Looked at before every tile. */
  readonly signal?: AbortSignal;
  /** Called after every tile with the number done and the total. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Where tiles lie along one side: each starts at `start`, and [from, to) of it is kept, in input pixels. */
interface Span {
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

/** Spans of equal length covering 0…length; the last is flush with the border, shared parts are split in the middle. */
export const tileSpans = (length: number, side: number, overlap: number): readonly Span[] => {
  const size = Math.min(side, length);
  const starts: number[] = [];
  for (let start = 0; start + size < length; start += side - overlap) starts.push(start);
  starts.push(length - size);
  const cut = (i: number) => Math.ceil((starts[i - 1]! + size + starts[i]!) / 2);
  return starts.map((start, i) => ({
    start,
    from: i === 0 ? 0 : cut(i),
    to: i === starts.length - 1 ? length : cut(i + 1),
  }));
};

/**
 * Runs a network over overlapping squares and joins the results, so that memory is bounded by one square.
 * `planes` [C, H, W] in; [C', scale·H, scale·W] out. Where 2·radius ≤ overlap (receptive field 2·radius + 1) the result
 * equals one run over the whole. Pictures smaller than a square are one tile of their own size.
 */
export const mapTiles = async (
  planes: Planes,
  options: TileOptions,
  run: (tile: Planes) => Promise<Planes> | Planes,
): Promise<Planes> => {
  const { side, overlap, scale, signal, onProgress } = options;
  checkOptions(options);
  const rows = tileSpans(planes.height, side, overlap);
  const columns = tileSpans(planes.width, side, overlap);
  const places = rows.flatMap((row) => columns.map((column) => ({ row, column })));
  const [width, height] = [planes.width * scale, planes.height * scale];
  let result: Planes | undefined;
  for (const [i, { row, column }] of places.entries()) {
    signal?.throwIfAborted();
    const tile = cutTile(planes, column.start, row.start, side);
    const done = await run(tile);
    checkTile(tile, done, scale);
    result ??= { channels: done.channels, width, height, data: new Float32Array(done.channels * width * height) };
    pasteTile(done, result, { row, column, scale });
    onProgress?.(i + 1, places.length);
  }
  return result!;
};

const checkOptions = ({ side, overlap, scale }: TileOptions): void => {
  if (!Number.isInteger(scale) || scale < 1)
    throw userError("tiles › scale", `expected a whole number above zero, got ${scale}`);
  if (!Number.isInteger(side) || !Number.isInteger(overlap) || overlap < 0 || side <= overlap)
    throw userError("tiles", `expected a side above the overlap, got side ${side} and overlap ${overlap} (pixels)`);
};

const checkTile = (tile: Planes, done: Planes, scale: number): void => {
  if (done.width !== tile.width * scale || done.height !== tile.height * scale)
    throw internal(`a ${tile.width}×${tile.height} tile at scale ${scale} came back as ${done.width}×${done.height}`);
};

const cutTile = ({ channels, width, height, data }: Planes, x: number, y: number, side: number): Planes => {
  const [w, h] = [Math.min(side, width), Math.min(side, height)];
  const out = new Float32Array(channels * w * h);
  for (let c = 0; c < channels; c++)
    for (let row = 0; row < h; row++) {
      const from = (c * height + y + row) * width + x;
      out.set(data.subarray(from, from + w), (c * h + row) * w);
    }
  return { channels, width: w, height: h, data: out };
};

type Place = { readonly row: Span; readonly column: Span; readonly scale: number };

const pasteTile = (tile: Planes, whole: Planes, { row, column, scale }: Place): void => {
  const [left, right] = [(column.from - column.start) * scale, (column.to - column.start) * scale];
  for (let c = 0; c < tile.channels; c++)
    for (let y = row.from * scale; y < row.to * scale; y++) {
      const from = (c * tile.height + y - row.start * scale) * tile.width;
      whole.data.set(
        tile.data.subarray(from + left, from + right),
        (c * whole.height + y) * whole.width + column.from * scale,
      );
    }
};
