import { compileFunction, input, type Runtime } from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import type { Features } from "../../metrics/features.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import { shortName } from "../../modelFiles/names.ts";
import type { UseOf } from "../../nn/use.ts";
import { floats, sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { inBatches } from "../common/batches.ts";

/** What figures of sets of pictures stand on. */
export interface Embedder {
  /** What it is, for whoever reads the figures. */
  readonly label: string;
  /** Of pictures [N, C, S, S] in 0…1, one row each. */
  features(image: Tensor): Promise<Features>;
  /** Whether all training pictures can be put through it. */
  readonly isQuick: boolean;
}

/** A classifier of small pictures. */
export interface Classifier extends Embedder {
  /** The class of each picture. */
  verdicts(image: Tensor): Promise<readonly number[]>;
}

export const rowsOf = (batch: Tensor): Features => ({ data: floats(batch), width: sizeOf(batch.shape.slice(1)) });

const BATCH = 250;

/**
 * A trained or adopted classifier as judge; its features are what its last layer reads.
 * @throws UserError for a classifier that is known as a graph only
 */
export async function openClassifier(
  { network, usage, weights, path }: LoadedModel<UseOf<"classify">>,
  runtime: Runtime,
): Promise<Classifier> {
  if (!network) throw userError(path, "expected a classifier of this package, got a graph");
  const leaf = input("input", [BATCH, usage.channels, usage.size, usage.size]);
  const inner = network.part("features", leaf);
  const features = await compileFunction({ output: inner }, { runtime, weights });
  const logits = await compileFunction({ output: network(leaf) }, { runtime, weights });
  return {
    label: `the ${inner.shape[1]} features of ${network.model.name} ${shortName(path)}`,
    isQuick: true,
    features: async (image) => rowsOf(await inBatches(features, image, BATCH)),
    verdicts: async (image) => largest(floats(await inBatches(logits, image, BATCH)), usage.classes),
  };
}

/** The place of the largest number of each row. */
export const largest = (rows: Float32Array, width: number): readonly number[] =>
  Array.from({ length: rows.length / width }, (_, n) => {
    const row = rows.subarray(n * width, (n + 1) * width);
    return row.indexOf(Math.max(...row));
  });
