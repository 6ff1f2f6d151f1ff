import type { Examples } from "../../data/exampleSource.ts";
import { openPart } from "../../data/openPart.ts";
import { pictureGrid } from "../../image/draw/grid.ts";
import { modelOf } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import type { Platform } from "../../platform/platform.ts";
import { toPictures } from "../../tensor/pictures.ts";
import { floats, sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { heldOut, keptBy, type WatcherFor, type WatchParts } from "../common/watching.ts";
import { openAutoencoder } from "./autoencoder.ts";

const COLUMNS = 10;
/** Held-out pictures that are rebuilt for the figures, at most. */
const MOST = 10_000;

/** Ten held-out pictures above what the network makes of them; the mean squared error over the held-out part. */
export async function watchReconstruct(
  { network, usage, options, figure }: WatchParts<UseOf<"reconstruct">>,
  platform: Platform,
): Promise<WatcherFor> {
  const held = await openPart("test", { ...usage, classes: 0 }, heldOut(options), platform);
  return (runtime) => ({
    ...keptBy(figure, held.description.sha256),
    async sample(weights) {
      const { image } = held.take([...Array(Math.min(COLUMNS, held.description.count)).keys()]);
      const model = await openAutoencoder(modelOf(network, weights, usage, network.key), runtime, COLUMNS);
      try {
        return sheetOfRows(image!, await model.decode(await model.encode(image!)));
      } finally {
        await model.dispose();
      }
    },
    async evaluate(weights) {
      const model = await openAutoencoder(modelOf(network, weights, usage, network.key), runtime);
      try {
        const errors = await squaredErrors(held, async (image) => model.decode(await model.encode(image)));
        return { mse: errors.reduce((sum, error) => sum + error / errors.length, 0) };
      } finally {
        await model.dispose();
      }
    },
  });
}

/** Batches of the same number of pictures below each other: originals above, rebuilt pictures below. */
export const sheetOfRows = (...rows: readonly [Tensor, ...Tensor[]]) =>
  pictureGrid(
    rows.flatMap((row) => toPictures(row)),
    {
      columns: rows[0].shape[0]!,
      factor: Math.max(1, Math.floor(96 / rows[0].shape[3]!)),
    },
  );

/** The mean squared error of each rebuilt picture of a set (samples 0…1). */
export async function squaredErrors(
  set: Examples,
  rebuild: (image: Tensor) => Promise<Tensor>,
  most = MOST,
): Promise<readonly number[]> {
  const count = Math.min(most, set.description.count);
  const errors: number[] = [];
  for (let from = 0; from < count; from += 1024) {
    const numbers = Array.from({ length: Math.min(1024, count - from) }, (_, i) => from + i);
    const { image } = set.take(numbers);
    const made = floats(await rebuild(image!));
    const [truth, width] = [floats(image!), sizeOf(image!.shape.slice(1))];
    for (let n = 0; n < numbers.length; n++) {
      let sum = 0;
      for (let i = n * width; i < (n + 1) * width; i++) sum += (made[i]! - truth[i]!) ** 2;
      errors.push(sum / width);
    }
  }
  return errors;
}
