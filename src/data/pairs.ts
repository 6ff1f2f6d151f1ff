import { z } from "zod";
import { input, type Node, type Tensors } from "../engine/index.ts";
import { option, userError } from "../errors.ts";
import { random } from "../tensor/random.ts";
import { floats, type Tensor, tensor } from "../tensor/tensor.ts";
import { exampleSource } from "./exampleSource.ts";
import type { Data, DataRequest, DataTools } from "./kind.ts";
import { openPairs } from "./sets/pairs.ts";
import type { DataSource } from "./source.ts";

/** What a recipe learns from that turns pictures into others: pairs of pictures of one size. */
export interface PairWanted {
  readonly batch: number;
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** 1 gray, 3 RGB, of both. */
  readonly channels: 1 | 3;
  /** Which half is given: "ab" the first (left) one. */
  readonly direction: "ab" | "ba";
  /** Enlarge by 30/256 of the size and cut at random, the same for both. Isola et al. 2017, appendix 6.2. */
  readonly jitter?: boolean;
  /** Mirror half of the pairs. */
  readonly flip?: boolean;
}

/** Pairs `source` and `target`, both [N, C, size, size] in 0…1. */
export const pairs = (wanted: PairWanted): Data<{ readonly source: Node; readonly target: Node }> => ({
  batch: wanted.batch,
  options: z.object({}),
  inputs(count) {
    const shape = [count, wanted.channels, wanted.size, wanted.size];
    return { source: input("source", shape), target: input("target", shape) };
  },
  open: (request, tools) => openSource(wanted, request, tools),
});

async function openSource(wanted: PairWanted, { data, seed }: DataRequest, tools: DataTools): Promise<DataSource> {
  const [place, other] = data as readonly [string, string?];
  if (other !== undefined) throw userError(option("data"), `expected one folder of pairs, got ${place} and ${other}`);
  const { batch, size, channels, direction, jitter = false, flip = false } = wanted;
  const room = jitter ? size + Math.round((size * 30) / 256) : size;
  const { a, b } = await openPairs(place, { size: room, channels, part: "train" }, tools);
  const [source, target] = direction === "ab" ? [a, b] : [b, a];
  const drawn = exampleSource(
    { ...source, take: (numbers) => both(source.take(numbers), target.take(numbers)) },
    { batch, seed },
  );
  return {
    ...drawn,
    async batch(step) {
      const whole = await drawn.batch(step);
      if (!jitter && !flip) return whole;
      const cuts = Array.from({ length: batch }, (_, at) => {
        const draw = random(seed, "pair", step, at);
        const [x, y] = [draw.below(room - size + 1), draw.below(room - size + 1)];
        return { x, y, isMirrored: flip && draw.below(2) === 1 };
      });
      return Object.fromEntries(Object.entries(whole).map(([name, all]) => [name, cutAll(all, cuts, size)]));
    },
  };
}

const both = (source: Tensors, target: Tensors): Tensors => ({ source: source.image!, target: target.image! });

/** Where a square is cut, and whether it is mirrored from left to right. */
interface Cut {
  readonly x: number;
  readonly y: number;
  readonly isMirrored: boolean;
}

/** A square of `size` pixels of each picture of [N, C, H, W]. */
function cutAll(all: Tensor, cuts: readonly Cut[], size: number): Tensor {
  const [count, channels, height, width] = all.shape as readonly [number, number, number, number];
  const [from, out] = [floats(all), new Float32Array(count * channels * size * size)];
  for (let n = 0, o = 0; n < count; n++) {
    const { x, y, isMirrored } = cuts[n]!;
    for (let c = 0; c < channels; c++)
      for (let row = 0; row < size; row++, o += size) {
        const start = ((n * channels + c) * height + y + row) * width + x;
        const line = out.subarray(o, o + size);
        line.set(from.subarray(start, start + size));
        if (isMirrored) line.reverse();
      }
  }
  return tensor(out, [count, channels, size, size]);
}
