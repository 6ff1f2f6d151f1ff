import { random } from "../tensor/random.ts";
import { floats, type Tensor, tensor } from "../tensor/tensor.ts";
import type { DataSource } from "./source.ts";

/** Mirrors about half of the pictures of each batch from left to right; which ones, seed and step decide. */
export const flipped = (source: DataSource, seed: number): DataSource => ({
  ...source,
  async batch(step) {
    const { image, ...rest } = await source.batch(step);
    const { uniform } = random(seed, "flip", step);
    return { image: mirrored(image!, () => uniform() < 0.5), ...rest };
  },
});

/** The rows of the chosen pictures of [N, C, H, W] in reverse. */
function mirrored(image: Tensor, choose: () => boolean): Tensor {
  const [count, channels, height, width] = image.shape as readonly [number, number, number, number];
  const data = floats(image).slice();
  for (let n = 0; n < count; n++) {
    if (!choose()) continue;
    for (let row = n * channels * height; row < (n + 1) * channels * height; row++)
      data.subarray(row * width, (row + 1) * width).reverse();
  }
  return tensor(data, image.shape);
}
