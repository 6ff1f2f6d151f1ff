import { z } from "zod";
import { input, type Node, type Tensors } from "../engine/index.ts";
import { userError } from "../errors.ts";
import { indices } from "../tensor/tensor.ts";
import { type Examples, exampleSource } from "./exampleSource.ts";
import { cellOption, type Data } from "./kind.ts";
import { openPart } from "./openPart.ts";
import type { DataSource } from "./source.ts";

/** What a recipe learns from that makes pictures of a text: pictures of one size with their captions. */
export interface CaptionWanted {
  readonly batch: number;
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** 1 gray, 3 RGB. */
  readonly channels: 1 | 3;
  /** Tokens of a caption; longer ones are cut, shorter ones filled up with 0. */
  readonly length: number;
  /** A text as token numbers, 1 and above; the bytes of its UTF-8 plus one unless given. */
  readonly encode?: (text: string) => readonly number[];
}

const options = z.object(cellOption);

/** The bytes of a text in UTF-8, plus one: 1…256, so that 0 is free to fill up with. */
export const byteTokens = (text: string): readonly number[] =>
  Array.from(new TextEncoder().encode(text), (byte) => byte + 1);

/**
 * Pictures `image` [N, C, size, size] in 0…1 and `caption` [N, length] int64, token numbers that end in zeros.
 * @throws UserError when opened on a set without captions
 */
export function captioned(wanted: CaptionWanted): Data<{ readonly image: Node; readonly caption: Node }> {
  const { batch, size, channels, length, encode = byteTokens } = wanted;
  const source = (set: Examples, seed: number, where: string): DataSource => {
    const { captions } = set;
    if (!captions)
      throw userError(where, "expected pictures with captions, got none", "Put a captions.tsv beside them.");
    const tokens = captions.map((text) => fitted(encode(text), length));
    const take = (numbers: readonly number[]): Tensors => ({
      image: set.take(numbers).image!,
      caption: indices(
        numbers.flatMap((number) => tokens[number]!),
        [numbers.length, length],
      ),
    });
    return exampleSource({ ...set, take }, { batch, seed });
  };
  return {
    batch,
    options,
    inputs: (count) => ({
      image: input("image", [count, channels, size, size]),
      caption: input("caption", [count, length], { dtype: "int64" }),
    }),
    async open({ data, seed, options: given }, tools) {
      const { cell } = options.parse(given);
      return source(await openPart("train", { size, channels, classes: 0 }, { data, cell }, tools), seed, data[0]!);
    },
    inMemory: { format: { size, channels }, source },
  };
}

/** Exactly `length` tokens. */
const fitted = (tokens: readonly number[], length: number): readonly number[] =>
  Array.from({ length }, (_, at) => tokens[at] ?? 0);
