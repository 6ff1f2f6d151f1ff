import { colorsOf, type Depth, makePicture, makeSamples, type Picture, peakOf } from "./picture.ts";
import type { Plane } from "./planes.ts";

/** Three numbers of one color; each function states their ranges. */
export type Triple = readonly [number, number, number];

/** "studio": Y 16…235, Cb and Cr 16…240 (MATLAB, video). "full": all 0…255 (JPEG, OpenCV's YCrCb). */
export type Range = "studio" | "full";

/** Luma of BT.601 in studio range: 16 + 65.481 R + 128.553 G + 24.966 B. R, G, B in 0…1; Y in 16…235. */
export const lumaOf = (r: number, g: number, b: number): number => 16 + 65.481 * r + 128.553 * g + 24.966 * b;

/** RGB (0…1) to YCbCr (0…255, not rounded). ITU-R BT.601; the studio form is MATLAB's rgb2ycbcr. */
export const rgbToYcbcr = (r: number, g: number, b: number, range: Range = "studio"): Triple =>
  range === "studio"
    ? [lumaOf(r, g, b), 128 - 37.797 * r - 74.203 * g + 112 * b, 128 + 112 * r - 93.786 * g - 18.214 * b]
    : fullRange(255 * (0.299 * r + 0.587 * g + 0.114 * b), 255 * r, 255 * b);

const fullRange = (y: number, r: number, b: number): Triple => [y, 128 + (b - y) / 1.772, 128 + (r - y) / 1.402];

/** Inverse of [[65.481, 128.553, 24.966], [-37.797, -74.203, 112], [112, -93.786, -18.214]]. */
const studioInverse = [
  [0.0045662100456621, 1.1808799899499555e-9, 0.006258928969943937],
  [0.0045662100456621, -0.0015363236860449021, -0.003188110949655707],
  [0.0045662100456621, 0.007910716233554741, 1.1977497040920977e-8],
] as const;

/** YCbCr (0…255) to RGB (0…1 for colors that exist; not clipped). */
export const ycbcrToRgb = (y: number, cb: number, cr: number, range: Range = "studio"): Triple => {
  const [u, v] = [cb - 128, cr - 128];
  if (range === "full") {
    const [r, b] = [y + 1.402 * v, y + 1.772 * u];
    return [r / 255, (y - 0.299 * r - 0.114 * b) / 0.587 / 255, b / 255];
  }
  const [r, g, b] = studioInverse.map(([ky, ku, kv]) => ky * (y - 16) + ku * u + kv * v) as unknown as Triple;
  return [r, g, b];
};

/** The sRGB transfer curve (IEC 61966-2-1), coded 0…1 to linear light 0…1. */
export const linearOf = (coded: number): number => (coded > 0.04045 ? ((coded + 0.055) / 1.055) ** 2.4 : coded / 12.92);
/** Linear light 0…1 to sRGB-coded 0…1. */
export const codedOf = (linear: number): number =>
  linear > 0.0031308 ? 1.055 * linear ** (1 / 2.4) - 0.055 : 12.92 * linear;

/** CIE XYZ of the D65 white point, 2° observer. */
const white: Triple = [0.95047, 1, 1.08883];
const bend = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
const unbend = (f: number): number => (f > 0.2068966 ? f ** 3 : (f - 16 / 116) / 7.787);

/** sRGB (0…1) to CIE L*a*b* under D65: L 0…100, a and b about −128…127. Constants of IEC 61966-2-1 and CIE 15. */
export const rgbToLab = (r: number, g: number, b: number): Triple => {
  const [lr, lg, lb] = [linearOf(r), linearOf(g), linearOf(b)];
  const x = bend((0.412453 * lr + 0.35758 * lg + 0.180423 * lb) / white[0]);
  const y = bend((0.212671 * lr + 0.71516 * lg + 0.072169 * lb) / white[1]);
  const z = bend((0.019334 * lr + 0.119193 * lg + 0.950227 * lb) / white[2]);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
};

/** L*a*b* (D65) to sRGB; values outside 0…1 are colors that sRGB cannot show. */
export const labToRgb = (l: number, a: number, b: number): Triple => {
  const fy = (l + 16) / 116;
  const x = unbend(fy + a / 500) * white[0];
  const y = unbend(fy) * white[1];
  const z = unbend(fy - b / 200) * white[2];
  return [
    signedCoded(3.2404813432 * x - 1.5371515163 * y - 0.4985363262 * z),
    signedCoded(-0.96925495 * x + 1.8759900015 * y + 0.0415559266 * z),
    signedCoded(0.0556466391 * x - 0.2040413384 * y + 1.0573110696 * z),
  ];
};

const signedCoded = (linear: number): number => (linear < 0 ? 12.92 * linear : codedOf(linear));

/**
 * Studio-range BT.601 luma of every pixel, float64, 16…235, not rounded. Gray counts as R = G = B; alpha is ignored.
 */
export const luma = (picture: Picture): Plane<Float64Array> => convert(picture, (r, g, b) => [lumaOf(r, g, b)])[0]!;

/** Y, Cb and Cr planes, float64, 0…255, not rounded. */
export const toYcbcr = (picture: Picture, range: Range = "studio"): readonly Plane<Float64Array>[] =>
  convert(picture, (r, g, b) => rgbToYcbcr(r, g, b, range));

/** L*, a* and b* planes, float64. */
export const toLab = (picture: Picture): readonly Plane<Float64Array>[] => convert(picture, rgbToLab);

/** MATLAB's rgb2ycbcr of an integer picture: Y, Cb, Cr as three channels, rounded to samples of the same depth. */
export const ycbcrPicture = (picture: Picture): Picture =>
  revert(toYcbcr(picture), (y, cb, cr) => [y / 255, cb / 255, cr / 255], picture.depth);

/** Y, Cb, Cr planes (0…255) to an RGB picture, rounded and clipped. */
export const fromYcbcr = (planes: readonly Plane[], range: Range = "studio", depth: Depth = 8): Picture =>
  revert(planes, (y, cb, cr) => ycbcrToRgb(y, cb, cr, range), depth);

/** L*, a*, b* planes to an RGB picture, rounded and clipped. */
export const fromLab = (planes: readonly Plane[], depth: Depth = 8): Picture => revert(planes, labToRgb, depth);

type Change = (a: number, b: number, c: number) => readonly number[];

/** Applies `change` to the RGB (0…1) of every pixel; one plane per number it returns. */
const convert = (picture: Picture, change: Change): readonly Plane<Float64Array>[] => {
  const { width, height, channels, depth, data } = picture;
  const [peak, step] = [peakOf(depth), colorsOf(picture) === 1 ? 0 : 1];
  const planes = change(0, 0, 0).map(() => new Float64Array(width * height));
  for (let p = 0, i = 0; i < data.length; p++, i += channels) {
    const values = change(data[i]! / peak, data[i + step]! / peak, data[i + 2 * step]! / peak);
    for (let k = 0; k < planes.length; k++) planes[k]![p] = values[k]!;
  }
  return planes.map((plane) => ({ width, height, data: plane }));
};

/** Applies `change` to three planes and takes what comes as RGB in 0…1. */
const revert = (planes: readonly Plane[], change: Change, depth: Depth): Picture => {
  const [a, b, c] = planes as readonly [Plane, Plane, Plane];
  const out = makeSamples(depth, a.data.length * 3);
  const peak = peakOf(depth);
  for (let p = 0, o = 0; p < a.data.length; p++)
    for (const value of change(a.data[p]!, b.data[p]!, c.data[p]!))
      out[o++] = Math.min(peak, Math.max(0, Math.round(value * peak)));
  return makePicture({ width: a.width, height: a.height, channels: 3, depth }, out);
};
