import { userError } from "../errors.ts";
import {
  type Channels,
  colorsOf,
  type Depth,
  hasAlpha,
  makePicture,
  makeSamples,
  type Picture,
  peakOf,
} from "./picture.ts";

/** Copies the channels `order` of each pixel; −1 writes the peak (opaque alpha). */
const pick = (picture: Picture, order: readonly number[]): Picture => {
  const { width, height, channels, depth, data, metadata } = picture;
  const out = makeSamples(depth, width * height * order.length);
  order.forEach((from, to) => {
    for (let i = from, o = to; o < out.length; i += channels, o += order.length)
      out[o] = from < 0 ? peakOf(depth) : data[i]!;
  });
  return makePicture({ width, height, channels: order.length as Channels, depth }, out, metadata);
};

/** Gray to three equal channels; RGB stays. Alpha is kept. */
export const toRgb = (picture: Picture): Picture =>
  picture.channels === 1 ? pick(picture, [0, 0, 0]) : picture.channels === 2 ? pick(picture, [0, 0, 0, 1]) : picture;

/** RGB to full-range BT.601 gray (.299 R + .587 G + .114 B, rounded); gray stays. Alpha is kept. */
export const toGray = (picture: Picture): Picture => {
  const { width, height, channels, depth, data, metadata } = picture;
  if (channels < 3) return picture;
  const out = makeSamples(depth, width * height * (channels - 2));
  for (let i = 0, o = 0; i < data.length; i += channels) {
    out[o++] = Math.round(0.299 * data[i]! + 0.587 * data[i + 1]! + 0.114 * data[i + 2]!);
    if (channels === 4) out[o++] = data[i + 3]!;
  }
  return makePicture({ width, height, channels: channels === 4 ? 2 : 1, depth }, out, metadata);
};

/** The colors and, where there is one, the alpha channel as a gray picture. */
export const splitAlpha = (picture: Picture): { readonly color: Picture; readonly alpha?: Picture } => {
  if (!hasAlpha(picture)) return { color: picture };
  const colors = colorsOf(picture);
  return { color: pick(picture, [0, 1, 2].slice(0, colors)), alpha: pick(picture, [colors]) };
};

/**
 * Colors plus a gray picture of the same size and depth as alpha; without one the colors alone.
 * @throws UserError for alpha of another size
 */
export const mergeAlpha = (color: Picture, alpha?: Picture): Picture => {
  if (!alpha) return color;
  const { width, height, depth, metadata } = color;
  if (
    hasAlpha(color) ||
    alpha.channels !== 1 ||
    alpha.depth !== depth ||
    alpha.width !== width ||
    alpha.height !== height
  )
    throw userError("mergeAlpha", "expected colors without alpha and a gray alpha of the same size and depth");
  const channels = (color.channels + 1) as Channels;
  const out = makeSamples(depth, width * height * channels);
  for (let i = 0, o = 0, a = 0; o < out.length; a++) {
    for (let c = 0; c < color.channels; c++) out[o++] = color.data[i++]!;
    out[o++] = alpha.data[a]!;
  }
  return makePicture({ width, height, channels, depth }, out, metadata);
};

/** True when there is no alpha, or every pixel is fully opaque. */
export const isOpaque = ({ channels, depth, data }: Picture): boolean => {
  if (!hasAlpha({ channels })) return true;
  const peak = peakOf(depth);
  for (let i = channels - 1; i < data.length; i += channels) if (data[i] !== peak) return false;
  return true;
};

/** Changes the bits per sample: 8 → 16 multiplies by 257, 16 → 8 divides by 257 and rounds. */
export const toDepth = (picture: Picture, depth: Depth): Picture => {
  if (picture.depth === depth) return picture;
  const out = makeSamples(depth, picture.data.length);
  for (let i = 0; i < out.length; i++)
    out[i] = depth === 16 ? picture.data[i]! * 257 : Math.round(picture.data[i]! / 257);
  return makePicture({ ...picture, depth }, out, picture.metadata);
};

/** Lays the picture over one color (samples 0…255); the result has no alpha. Blended in coded values. */
export const flatten = (picture: Picture, background: readonly [number, number, number]): Picture => {
  const { width, height, depth, data, channels, metadata } = toRgb(picture);
  if (channels !== 4) return toRgb(picture);
  const peak = peakOf(depth);
  const out = makeSamples(depth, width * height * 3);
  for (let i = 0, o = 0; i < data.length; i += 4)
    for (let c = 0; c < 3; c++) {
      const share = data[i + 3]! / peak;
      out[o++] = Math.round(data[i + c]! * share + background[c]! * (peak / 255) * (1 - share));
    }
  return makePicture({ width, height, channels: 3, depth }, out, metadata);
};

/**
 * Fills the color beneath fully transparent pixels from their neighbors, outwards ring by ring, so that a network never
 * sees the arbitrary color stored there. Alpha and visible pixels stay. A fully transparent picture is returned as it
 * is.
 */
export const bleedAlpha = (picture: Picture): Picture => {
  const { width, height, channels, depth, metadata } = picture;
  if (isOpaque(picture)) return picture;
  const data = picture.data.slice();
  const known = new Uint8Array(width * height);
  for (let p = 0; p < known.length; p++) known[p] = data[p * channels + channels - 1]! > 0 ? 1 : 0;
  let front = ringAround(
    known,
    width,
    [...known.keys()].filter((p) => known[p] === 1),
  );
  while (front.length > 0) {
    for (const p of front) averageKnown(data, known, { p, width, channels });
    for (const p of front) known[p] = 1;
    front = ringAround(known, width, front);
  }
  return makePicture({ width, height, channels, depth }, data, metadata);
};

/** The pixels up to one step from `p`, sideways and diagonally, within the picture. */
const neighbors = (p: number, width: number, pixels: number): readonly number[] => {
  const x = p % width;
  const found: number[] = [];
  for (let dx = -1; dx <= 1; dx++)
    for (let dy = -width; dy <= width; dy += width) {
      const q = p + dx + dy;
      if (q !== p && x + dx >= 0 && x + dx < width && q >= 0 && q < pixels) found.push(q);
    }
  return found;
};

const ringAround = (known: Uint8Array, width: number, from: readonly number[]): readonly number[] => {
  const ring = new Set<number>();
  for (const p of from) for (const q of neighbors(p, width, known.length)) if (known[q] === 0) ring.add(q);
  return [...ring];
};

type Spot = { readonly p: number; readonly width: number; readonly channels: number };

const averageKnown = (data: Uint8Array | Uint16Array, known: Uint8Array, { p, width, channels }: Spot): void => {
  const sources = neighbors(p, width, known.length).filter((q) => known[q] === 1);
  for (let c = 0; c < channels - 1; c++)
    data[p * channels + c] = Math.round(sources.reduce((sum, q) => sum + data[q * channels + c]!, 0) / sources.length);
};
