import { userError } from "../errors.ts";
import { type Depth, makePicture, makeSamples, type Picture, peakOf } from "../image/picture.ts";
import { type RangeName, ranges } from "./range.ts";
import { floats, type Tensor, tensor } from "./tensor.ts";

/**
 * Pictures of one size as a batch [N, C, H, W], float32; C is the number of channels.
 * @param range what the largest sample and zero become; 0…1 unless given
 * @throws UserError for no pictures, or pictures of several sizes
 */
export function toTensor(pictures: readonly Picture[], range: RangeName = "unit"): Tensor {
  const [first] = pictures;
  if (!first) throw userError("pictures", "expected at least one, got none");
  const { width, height, channels } = first;
  const { of } = ranges[range];
  const area = width * height;
  const values = new Float32Array(pictures.length * channels * area);
  pictures.forEach((picture, n) => {
    if (picture.width !== width || picture.height !== height || picture.channels !== channels)
      throw userError("pictures", `expected all of one size, got ${sizeText(first)} and ${sizeText(picture)}`);
    const { data } = picture;
    const peak = peakOf(picture.depth);
    for (let p = 0; p < area; p++)
      for (let c = 0; c < channels; c++) values[(n * channels + c) * area + p] = of(data[p * channels + c]! / peak, c);
  });
  return tensor(values, [pictures.length, channels, height, width]);
}

const sizeText = ({ width, height, channels }: Picture): string => `${width}×${height}×${channels}`;

/**
 * The pictures of a batch [N, C, H, W], clipped and rounded: gray for one plane and RGB for three.
 * @param range that the batch is in; 0…1 unless given
 * @param depth bits per sample of the pictures; 8 unless given
 */
export function toPictures(batch: Tensor, range: RangeName = "unit", depth: Depth = 8): readonly Picture[] {
  const [count, channels, height, width] = batch.shape as readonly [number, 1 | 3, number, number];
  const { back } = ranges[range];
  const [values, area, peak] = [floats(batch), height * width, peakOf(depth)];
  return Array.from({ length: count }, (_, n) => {
    const data = makeSamples(depth, area * channels);
    for (let p = 0; p < area; p++)
      for (let c = 0; c < channels; c++) {
        const value = back(values[(n * channels + c) * area + p]!, c);
        data[p * channels + c] = Math.round(Math.min(1, Math.max(0, value)) * peak);
      }
    return makePicture({ width, height, channels, depth }, data);
  });
}
