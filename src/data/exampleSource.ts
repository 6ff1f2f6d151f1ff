import type { Tensors } from "../engine/index.ts";
import { option, userError } from "../errors.ts";
import type { Files } from "../platform/files.ts";
import { permutation, random } from "../tensor/random.ts";
import type { PictureReader } from "./patchSource.ts";
import type { DataDescription, DataSource, Skipped } from "./source.ts";
import type { SquareFormat } from "./square.ts";

/** The part of a set: what is learned from, or what is judged on. */
export type Part = "train" | "test";

/** A part of a set, and the form its pictures are brought to. */
export interface PartFormat extends SquareFormat {
  readonly part: Part;
}

/** Who opens files and pictures. */
export interface ExampleTools {
  readonly files: Pick<Files, "read" | "exists" | "size" | "list" | "sha256">;
  readonly codec: PictureReader;
}

/** A set of examples that fits into memory, or is drawn when asked for. */
export interface Examples {
  readonly description: DataDescription;
  /** Names in the order of the labels; empty when there are none. */
  readonly classes: readonly string[];
  /** What each example shows, in words, by number. */
  readonly captions?: readonly string[];
  /** Files that could not be used. */
  readonly skipped: readonly Skipped[];
  /**
   * The examples of these numbers: { image: [N, C, H, W] 0…1, label: [N] int64 }; no label where there are no classes.
   */
  take(numbers: readonly number[]): Tensors;
}

export interface ExampleOptions {
  readonly batch: number;
  readonly seed: number;
}

/**
 * Batches of a set: every epoch shows each example once, in an order of its own; batches run across epochs.
 * @throws UserError for a batch that is no whole number above zero
 */
export function exampleSource(examples: Examples, { batch, seed }: ExampleOptions): DataSource {
  const { description, classes, skipped, take } = examples;
  const { count } = description;
  if (!Number.isSafeInteger(batch) || batch < 1)
    throw userError(option("batch"), `expected a whole number above zero, got ${batch}`);
  let shuffled: { readonly epoch: number; readonly order: Uint32Array } | undefined;
  const orderOf = (epoch: number): Uint32Array => {
    if (shuffled?.epoch !== epoch) shuffled = { epoch, order: permutation(count, random(seed, "order", epoch)) };
    return shuffled.order;
  };
  const numberAt = (position: number): number => orderOf(Math.floor(position / count))[position % count]!;
  return {
    description,
    classes,
    skipped,
    batch: async (step) => take(Array.from({ length: batch }, (_, i) => numberAt((step - 1) * batch + i))),
  };
}
