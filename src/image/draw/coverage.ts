import type { Box } from "../picture.ts";

export type Point = readonly [x: number, y: number];
/** A closed polygon; the last point joins the first. */
export type Contour = readonly Point[];

/** How much of each pixel of `box` a shape covers, 0…1, [height, width]. */
export interface Coverage {
  readonly box: Box;
  readonly amount: Float32Array;
}

/** The whole pixels around all points, cut to `limit`; undefined when nothing is left. */
const bounds = (contours: readonly Contour[], limit: Box): Box | undefined => {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of contours.flat()) {
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  const x = Math.max(limit.x, Math.floor(left));
  const y = Math.max(limit.y, Math.floor(top));
  const width = Math.min(limit.x + limit.width, Math.ceil(right)) - x;
  const height = Math.min(limit.y + limit.height, Math.ceil(bottom)) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
};

/** Exact anti-aliasing: signed areas per edge are added up, then summed along each row (as in Levien's font-rs). */
export const cover = (contours: readonly Contour[], limit: Box): Coverage | undefined => {
  const box = bounds(contours, limit);
  if (!box) return undefined;
  const sums = new Float32Array((box.width + 2) * box.height);
  for (const contour of contours)
    for (const [i, point] of contour.entries()) addEdge(sums, box, [point, contour[(i + 1) % contour.length]!]);
  const amount = new Float32Array(box.width * box.height);
  for (let y = 0; y < box.height; y++) {
    let total = 0;
    for (let x = 0; x < box.width; x++) {
      total += sums[y * (box.width + 2) + x]!;
      amount[y * box.width + x] = Math.min(1, Math.abs(total));
    }
  }
  return { box, amount };
};

const addEdge = (sums: Float32Array, box: Box, [from, to]: readonly [Point, Point]): void => {
  if (from[1] === to[1]) return;
  const sign = from[1] < to[1] ? 1 : -1;
  const [[x0, y0], [x1, y1]] = sign > 0 ? [from, to] : [to, from];
  const slope = (x1 - x0) / (y1 - y0);
  const first = Math.max(0, Math.floor(y0 - box.y));
  const end = Math.min(box.height, Math.ceil(y1 - box.y));
  const at = (y: number) => Math.min(box.width, Math.max(0, x0 + (y - y0) * slope - box.x));
  for (let row = first; row < end; row++) {
    const top = Math.max(y0, box.y + row);
    const bottom = Math.min(y1, box.y + row + 1);
    if (bottom > top) addSpan(sums, row * (box.width + 2), { area: sign * (bottom - top), a: at(top), b: at(bottom) });
  }
};

/** An edge's piece within one row, from column a to column b, of signed height `area`. */
const addSpan = (sums: Float32Array, row: number, { area, a, b }: { area: number; a: number; b: number }): void => {
  const [left, right] = [Math.min(a, b), Math.max(a, b)];
  const start = Math.floor(left);
  const width = right - left;
  // Share of the piece's height that lies left of each column border, integrated over the column.
  let before = 0;
  for (let column = start; column <= Math.max(start, Math.ceil(right) - 1); column++) {
    const covered = area * integral(left, width, column);
    sums[row + column] = sums[row + column]! + covered - before;
    before = covered;
  }
  const last = row + Math.max(start, Math.ceil(right) - 1) + 1;
  sums[last] = sums[last]! + area - before;
};

/** Mean over one column of the share of the piece that lies to its left: 0 before it, 1 after it. */
const integral = (left: number, width: number, column: number): number => {
  if (width < 1e-6) return Math.min(1, Math.max(0, column + 1 - left));
  const primitive = (x: number) => {
    const t = Math.min(width, Math.max(0, x - left));
    return (t * t) / (2 * width) + Math.max(0, x - left - width);
  };
  return primitive(column + 1) - primitive(column);
};
