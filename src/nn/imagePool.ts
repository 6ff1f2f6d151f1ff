import { z } from "zod";
import {
  add,
  concat,
  constant,
  equal,
  greater,
  greaterEqual,
  matmul,
  mul,
  type Node,
  reshape,
  slice,
  stopGradient,
  sub,
  toFloat,
  where,
} from "../engine/index.ts";
import type { Shape } from "../tensor/tensor.ts";
import { zeros } from "./initializers.ts";
import { defineModel, type Parameters } from "./model.ts";

/** A pool while the pictures of a batch pass it one by one. */
interface Pool {
  /** [count, C, H, W] */
  readonly pictures: Node;
  /** How many of the places hold a picture: [1]. */
  readonly filled: Node;
}

/**
 * The numbers of the places of a pool, and those that follow them; 1 in float32 is below what follows the last. All
 * [count].
 */
function placesOf(count: number) {
  const first = Array.from({ length: count }, (_, at) => at);
  const next = first.map((at) => at + 1).with(-1, count + 1);
  return { first: constant(first, [count]), next: constant(next, [count]) };
}

/**
 * One picture [1, C, H, W] passes a pool. @param swap 0…1 [1]: above ½ it changes places with a picture of a full pool
 * @param place 0…1 [1]: which one
 */
function pass({ pictures, filled }: Pool, x: Node, { swap, place }: { readonly swap: Node; readonly place: Node }) {
  const count = pictures.shape[0]!;
  const { first, next } = placesOf(count);
  const isSwapped = mul(toFloat(greaterEqual(filled, count)), toFloat(greater(swap, 0.5))); // [1]
  const at = mul(place, count);
  const chosen = sub(toFloat(greaterEqual(at, first)), toFloat(greaterEqual(at, next))); // [count], one of them 1
  const written = add(toFloat(equal(first, filled)), mul(chosen, isSwapped)); // [count]; none when it is kept out
  const flat = reshape(pictures, [count, -1]);
  const earlier = reshape(matmul(reshape(chosen, [1, count]), flat), x.shape);
  return {
    seen: where(greater(reshape(isSwapped, [1, 1, 1, 1]), 0.5), earlier, x),
    pool: {
      pictures: where(greater(reshape(written, [count, 1, 1, 1]), 0.5), x, pictures),
      filled: add(filled, toFloat(greater(count, filled))),
    },
  };
}

/**
 * A history of generated pictures, so that a discriminator does not forget what earlier ones looked like: [N, C, H, W]
 * to as many pictures, of which some are earlier ones. Shrivastava et al. 2017, https://arxiv.org/abs/1612.07828,
 * section 2.3, in the form of CycleGAN, Zhu et al. 2017, https://arxiv.org/abs/1703.10593, section 4: one after the
 * other, the first `count` pictures fill the pool; after that a picture is handed on, or, with probability ½, takes the
 * place of a picture of the pool, which is handed on instead. No gradient passes. Outside training pictures pass as
 * they are.
 *
 * It is a network without weights, so that the pool is part of a step's state: "pictures" [count, C, H, W] and "filled"
 * [1]. Call it once in a step.
 */
export const imagePool = defineModel({
  name: "image pool",
  summary: "keeps earlier pictures of a generator for its discriminator",
  paper: "https://arxiv.org/abs/1612.07828",
  options: z.object({
    count: z.int().positive().default(50).describe("pictures that are kept"),
    channels: z.int().positive().default(3).describe("planes of a picture"),
    size: z.int().positive().describe("side of the pictures in pixels"),
  }),
  input: ({ channels, size }): Shape => [1, channels, size, size],
  build: (x, p, { count }) => handOn(stopGradient(x), p, count),
});

function handOn(x: Node, p: Parameters, count: number): Node {
  const [batch, ...shape] = x.shape as readonly [number, ...number[]];
  const pictures = p.statistic("pictures", [count, ...shape], zeros);
  const filled = p.statistic("filled", [1], zeros);
  if (!p.training) return x;
  const [swaps, places] = [p.noise("swap", [batch], "uniform"), p.noise("place", [batch], "uniform")];
  const seen: Node[] = [];
  let pool: Pool = { pictures, filled };
  for (let at = 0; at < batch; at++) {
    const [swap, place] = [swaps, places].map((numbers) => slice(numbers, [at], [at + 1]));
    const one = slice(x, [at, 0, 0, 0], [at + 1, ...shape]);
    const made = pass(pool, one, { swap: swap!, place: place! });
    seen.push(made.seen);
    pool = made.pool;
  }
  const y = seen.length === 1 ? seen[0]! : concat(seen, 0);
  const { pictures: kept, filled: now } = pool;
  p.carry({ parameter: pictures, next: () => kept, from: y });
  p.carry({ parameter: filled, next: () => now, from: y });
  return y;
}
