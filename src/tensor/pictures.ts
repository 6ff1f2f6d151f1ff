import { userError } from "../errors.ts";
import { makePicture, makeSamples, type Picture } from "../image/picture.ts";
import { floats, type Tensor, tensor } from "./tensor.ts";

/** The pictures of a batch [N, C, H, W] in 0…1, clipped and rounded: 8 bits, gray for one plane and RGB for three. */
export function picturesOf(batch: Tensor): readonly Picture[] {
  const [count, channels, height, width] = batch.shape as readonly [number, 1 | 3, number, number];
  const [values, area] = [floats(batch), height * width];
  return Array.from({ length: count }, (_, n) => {
    const data = makeSamples(8, area * channels);
    for (let p = 0; p < area; p++)
      for (let c = 0; c < channels; c++) {
        const value = values[(n * channels + c) * area + p]!;
        data[p * channels + c] = Math.round(Math.min(1, Math.max(0, value)) * 255);
      }
    return makePicture({ width, height, channels }, data);
  });
}

/** Pictures of one size as a batch [N, C, H, W] in 0…1: the opposite. */
export function batchOf(pictures: readonly Picture[]): Tensor {
  const [first] = pictures;
  if (!first) throw userError("pictures", "expected at least one, got none");
  const { width, height, channels } = first;
  const area = width * height;
  const values = new Float32Array(pictures.length * channels * area);
  pictures.forEach(({ data }, n) => {
    for (let p = 0; p < area; p++)
      for (let c = 0; c < channels; c++) values[(n * channels + c) * area + p] = data[p * channels + c]! / 255;
  });
  return tensor(values, [pictures.length, channels, height, width]);
}
