import {
  abs,
  add,
  constant,
  expand,
  input,
  less,
  matmul,
  mean,
  mul,
  type Node,
  reshape,
  sub,
  toFloat,
} from "../engine/index.ts";

const ramp = (side: number, shape: readonly number[]): Node =>
  constant(
    Array.from({ length: side }, (_, i) => i),
    shape,
  );

/** Matrices [N, side, side] that move rows by the whole number nearest to a shift [N, 1, 1]; zeros come in. */
const shifting = (shift: Node, side: number): Node =>
  toFloat(less(abs(sub(sub(ramp(side, [1, 1, side]), ramp(side, [1, side, 1])), shift)), 0.5));

/** Strips [N, 1, side, 1] of half the side around a place 0…1: 1 inside, 0 outside. */
const strip = (place: Node, side: number): Node =>
  toFloat(less(abs(sub(add(ramp(side, [1, 1, side, 1]), 0.5), mul(place, side))), side / 4));

/**
 * The augmentation of real and made pictures that a discriminator sees, through which gradients pass: brightness,
 * saturation, contrast, a shift by up to an eighth, and a hole of half the side. Every picture has its own.
 * Zhao et al. 2020, https://arxiv.org/abs/2006.10738, all policies. @param x [N, C, S, S] in 0…1     @param name tells
 * its random numbers apart
 */
export function diffAugment(x: Node, name: string): Node {
  const [count, channels, height, width] = x.shape as readonly [number, number, number, number];
  const draw = (kind: string): Node => input(`${name} ${kind}`, [count, 1, 1, 1], { noise: "uniform" });

  // Color, in −1…1 as the paper has it
  let y = add(sub(mul(x, 2), 1.5), draw("brightness"));
  if (channels > 1) {
    const gray = mean(y, [1], true);
    y = add(mul(sub(y, gray), mul(draw("saturation"), 2)), gray);
  }
  const level = mean(y, [1, 2, 3], true);
  y = add(mul(sub(y, level), add(draw("contrast"), 0.5)), level);

  // Place: the whole picture moves, and a hole opens
  const shift = (kind: string, side: number): Node => {
    const most = Math.round(side / 8);
    return reshape(sub(mul(draw(kind), 2 * most + 1), most + 0.5), [count, 1, 1]);
  };
  const down = reshape(shifting(shift("down", height), height), [count, 1, height, height]);
  const right = reshape(shifting(shift("right", width), width), [count, 1, width, width]);
  const all = (matrix: Node, side: number): Node => expand(matrix, [count, channels, side, side]);
  y = matmul(matmul(all(down, height), y), all(right, width));
  const row = strip(draw("hole row"), height);
  const column = reshape(strip(draw("hole column"), width), [count, 1, 1, width]);
  return add(mul(mul(y, sub(1, mul(row, column))), 0.5), 0.5);
}
