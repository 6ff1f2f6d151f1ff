import type { Tensors } from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import { permutation, random } from "../../tensor/random.ts";
import type { DataDescription, DataSource } from "./source.ts";

/** A set of examples that fits into memory. */
export interface Examples {
  readonly description: DataDescription;
  readonly classes: readonly string[];
  /** The examples of these numbers, stacked: each tensor is [N, …]. */
  take(numbers: readonly number[]): Tensors;
}

export interface ExampleOptions {
  readonly batch: number;
  readonly seed: number;
}

/** Batches of a set: every epoch shows each example once, in an order of its own; batches run across epochs. */
export function exampleSource({ description, classes, take }: Examples, { batch, seed }: ExampleOptions): DataSource {
  const { count } = description;
  if (!Number.isSafeInteger(batch) || batch < 1)
    throw userError("batch", `expected a whole number above zero, got ${batch}`);
  let shuffled: { readonly epoch: number; readonly order: Uint32Array } | undefined;
  const orderOf = (epoch: number): Uint32Array => {
    if (shuffled?.epoch !== epoch) shuffled = { epoch, order: permutation(count, random(seed, "order", epoch)) };
    return shuffled.order;
  };
  const numberAt = (position: number): number => orderOf(Math.floor(position / count))[position % count]!;
  return {
    description,
    classes,
    skipped: [],
    batch: async (step) => take(Array.from({ length: batch }, (_, i) => numberAt((step - 1) * batch + i))),
  };
}
