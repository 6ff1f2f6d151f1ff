import { z } from "zod";
import { input, type Node } from "../engine/index.ts";
import { type Examples, exampleSource } from "./exampleSource.ts";
import { flipped } from "./flip.ts";
import { cellOption, type Data } from "./kind.ts";
import { checkClasses, openPart } from "./openPart.ts";
import type { DataSource } from "./source.ts";

/**
 * What autoencoders, generators and classifiers learn from: pictures of one size, with their class where they have one.
 */
export interface ExampleWanted {
  readonly batch: number;
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** 1 gray, 3 RGB. */
  readonly channels: 1 | 3;
  /** Classes that the data must have: the batch holds `label` then; 0 when it does not matter. */
  readonly classes?: number;
  /** Mirror half of the pictures. */
  readonly flip?: boolean;
}

const options = z.object(cellOption);

/** Pictures `image` [N, C, size, size] in 0…1, and their classes `label` [N] int64 where classes are asked for. */
export function examples(wanted: ExampleWanted): Data<{ readonly image: Node; readonly label?: Node | undefined }> {
  const { batch, size, channels, classes = 0, flip = false } = wanted;
  const source = (set: Examples, seed: number): DataSource => {
    const drawn = exampleSource(set, { batch, seed });
    return flip ? flipped(drawn, seed) : drawn;
  };
  return {
    batch,
    options,
    inputs(count) {
      const image = input("image", [count, channels, size, size]);
      return classes > 0 ? { image, label: input("label", [count], { dtype: "int64" }) } : { image };
    },
    async open({ data, seed, options: given }, tools) {
      const { cell } = options.parse(given);
      return source(await openPart("train", { size, channels, classes }, { data, cell }, tools), seed);
    },
    inMemory: {
      format: { size, channels },
      source(set, seed, where) {
        checkClasses(set, classes, where);
        return source(set, seed);
      },
    },
  };
}
