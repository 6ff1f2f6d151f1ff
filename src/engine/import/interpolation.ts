/** How the operator Resize reads pixels, one axis at a time. https://onnx.ai/onnx/operators/onnx__Resize.html */
export interface Sampling {
  readonly mode: string;
  /** coordinate_transformation_mode. */
  readonly coordinates: string;
  /** nearest_mode. */
  readonly rounding: string;
  /** cubic_coeff_a. */
  readonly a: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
}

/** One axis: pixels before and after, and the scale as the file has it (not always their ratio). */
export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

/** Where output pixel `at` lies in the input, or undefined for a mode that is not covered. */
function source(at: number, { from, to, scale }: Axis, coordinates: string): number | undefined {
  const half = (at + 0.5) / scale - 0.5;
  if (coordinates === "half_pixel") return half;
  if (coordinates === "half_pixel_symmetric") return (from / 2) * (1 - to / (scale * from)) + half;
  if (coordinates === "pytorch_half_pixel") return to > 1 ? half : 0;
  if (coordinates === "align_corners") return to === 1 ? 0 : (at * (from - 1)) / (to - 1);
  return coordinates === "asymmetric" ? at / scale : undefined;
}

const ROUNDINGS: Readonly<Record<string, (value: number) => number>> = {
  round_prefer_floor: (value) => Math.ceil(value - 0.5),
  round_prefer_ceil: (value) => Math.floor(value + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

const inside = (place: number, from: number): number => Math.min(Math.max(place, 0), from - 1);

/** The nearest pixel of every output pixel, or undefined for a mode that is not covered. */
export function nearest(axis: Axis, { coordinates, rounding }: Sampling): number[] | undefined {
  const round = ROUNDINGS[rounding];
  const places = Array.from({ length: axis.to }, (_, at) => source(at, axis, coordinates));
  if (!round || places.includes(undefined)) return undefined;
  return places.map((place) => inside(round(Math.fround(place!)), axis.from));
}

/** Weight of a pixel at a distance: the triangle, or Keys' cubic. */
const weight = (distance: number, { mode, a }: Sampling): number => {
  const d = Math.abs(distance);
  if (mode === "linear") return Math.max(0, 1 - d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
};

/** The row of pixels and weights for an output pixel whose source is at `center`. */
function row(center: number, { from, scale }: Axis, sampling: Sampling): [place: number, weight: number][] {
  const widening = sampling.antialias ? Math.max(1, 1 / scale) : 1;
  const reach = (sampling.mode === "linear" ? 1 : 2) * widening;
  const [first, last] = [Math.ceil(center - reach), Math.floor(center + reach)];
  const taps = Array.from({ length: last - first + 1 }, (_, tap): [number, number] => [
    first + tap,
    weight((first + tap - center) / widening, sampling),
  ]);
  const kept = sampling.excludeOutside ? taps.filter(([place]) => place >= 0 && place < from) : taps;
  const isWeighed = sampling.antialias || sampling.excludeOutside;
  const total = isWeighed ? kept.reduce((sum, [, share]) => sum + share, 0) : 1;
  return kept.map(([place, share]) => [inside(place, from), share / total]);
}

/** The resize of one axis as a matrix [from, to], row-major, or undefined for a mode that is not covered. */
export function interpolation(axis: Axis, sampling: Sampling): Float64Array | undefined {
  const data = new Float64Array(axis.from * axis.to);
  const picks = sampling.mode === "nearest" ? nearest(axis, sampling) : undefined;
  if (sampling.mode === "nearest" && !picks) return undefined;
  for (let at = 0; at < axis.to; at++) {
    const center = source(at, axis, sampling.coordinates);
    if (center === undefined) return undefined;
    const taps = picks ? [[picks[at]!, 1] as const] : row(center, axis, sampling);
    for (const [place, share] of taps) data[place * axis.to + at]! += share;
  }
  return data;
}
