import type { Tensors } from "../engine/index.ts";
import { userError } from "../errors.ts";
import type { Picture } from "../image/picture.ts";
import { indices, tensor } from "../tensor/tensor.ts";
import type { Examples } from "./exampleSource.ts";
import type { DataDescription, Skipped } from "./source.ts";
import { type SquareFormat, squarePicture } from "./square.ts";

/** Pictures of one shape as bytes. */
export interface Stored extends Pick<Examples, "description" | "classes" | "captions" | "skipped"> {
  /** [C, H, W] of each picture. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** [N, C, H, W], 0…255. */
  readonly data: Uint8Array;
  /** The class of each picture; not looked at when there are no classes. */
  readonly labels: ArrayLike<number>;
}

/** Examples over bytes that are held in memory. */
export function storedExamples({ shape, data, labels, ...about }: Stored): Examples {
  const length = shape[0] * shape[1] * shape[2];
  return {
    ...about,
    take(numbers): Tensors {
      const pixels = new Float32Array(numbers.length * length);
      numbers.forEach((number, i) => {
        const [from, to] = [number * length, i * length];
        for (let p = 0; p < length; p++) pixels[to + p] = data[from + p]! / 255;
      });
      const image = tensor(pixels, [numbers.length, ...shape]);
      if (about.classes.length === 0) return { image };
      const taken = numbers.map((number) => labels[number]!);
      return { image, label: indices(taken, [numbers.length]) };
    },
  };
}

/** What a store is told about its pictures in the end. */
export interface StoreNotes extends Omit<DataDescription, "count"> {
  /** Fewer than two tell nothing apart and are left out. */
  readonly classes: readonly string[];
  readonly skipped: readonly Skipped[];
  readonly hasCaptions?: boolean;
}

/** Collects pictures of one format. */
export interface Store {
  add(picture: Picture, label: number, caption?: string): void;
  examples(notes: StoreNotes): Examples;
}

const mostBytes = 4 * 2 ** 30;

/**
 * Room for up to `count` pictures, brought to a format as they come; `where` names the source to its user.
 * @throws UserError for more than 4 GiB of pictures
 */
export function makeStore(where: string, count: number, { size, channels }: SquareFormat): Store {
  const area = size * size;
  const length = channels * area;
  if (count * length > mostBytes)
    throw userError(
      where,
      `expected at most 4 GiB of pictures, got ${count} of ${size}×${size}×${channels} = ${gibibytes(count * length)} GiB`,
      "Ask for a smaller size or one channel, or take fewer pictures.",
    );
  const data = new Uint8Array(count * length);
  const labels: number[] = [];
  const captions: string[] = [];
  return {
    add(picture, label, caption = "") {
      const { data: samples } = squarePicture(picture, { size, channels });
      const start = labels.length * length;
      for (let p = 0, i = 0; p < area; p++)
        for (let c = 0; c < channels; c++) data[start + c * area + p] = samples[i++]!;
      labels.push(label);
      captions.push(caption);
    },
    examples({ bytes, sha256, classes, skipped, hasCaptions = false }) {
      if (labels.length === 0) throw noneUsable(where, skipped);
      return storedExamples({
        shape: [channels, size, size],
        data: data.subarray(0, labels.length * length),
        labels,
        classes: classes.length > 1 ? classes : [],
        skipped,
        ...(hasCaptions && { captions }),
        description: { count: labels.length, bytes, sha256 },
      });
    },
  };
}

const gibibytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);

const noneUsable = (where: string, skipped: readonly Skipped[]): Error =>
  userError(
    where,
    `expected pictures that can be read, got none among ${skipped.length} file${skipped.length === 1 ? "" : "s"}`,
    skipped[0]?.reason,
  );
