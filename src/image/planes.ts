import { type Channels, type Depth, makePicture, makeSamples, type Picture, peakOf } from "./picture.ts";

/** One channel of floating-point values, [height, width]; the maker states the range. */
export interface Plane<Data extends Float32Array | Float64Array = Float32Array | Float64Array> {
  readonly width: number;
  readonly height: number;
  readonly data: Data;
}

/** Channel-planar floats [channels, height, width], the layout that networks use; the maker states the range. */
export interface Planes {
  readonly channels: number;
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** One channel of a picture as float64, in samples (0…255 or 0…65535). */
export const planeOf = ({ width, height, channels, data }: Picture, channel: number): Plane<Float64Array> => {
  const out = new Float64Array(width * height);
  for (let p = 0, i = channel; p < out.length; p++, i += channels) out[p] = data[i]!;
  return { width, height, data: out };
};

/** Planes in samples to a picture: rounded half up and clipped to the depth. */
export const pictureOf = (planes: readonly Plane[], depth: Depth = 8): Picture => {
  const { width, height } = planes[0]!;
  const channels = planes.length as Channels;
  const peak = peakOf(depth);
  const out = makeSamples(depth, width * height * channels);
  planes.forEach(({ data }, c) => {
    for (let p = 0, o = c; p < data.length; p++, o += channels)
      out[o] = Math.min(peak, Math.max(0, Math.round(data[p]!)));
  });
  return makePicture({ width, height, channels, depth }, out);
};
