import type { Features } from "../../src/metrics/features.ts";
import { random } from "../../src/tensor/random.ts";

/**
 * Rows that Python rebuilds exactly: x[i, j] = ((a i² + b i j + c j² + 3 i (j + 1)) mod 101) / 101 · scale + shift. The
 * expectations in these tests were printed by numpy 2.4 and SciPy 1.17 in float64 from the same formula.
 */
export const formula = (
  [count, width]: readonly [number, number],
  [a, b, c]: readonly [number, number, number],
  [scale, shift]: readonly [number, number] = [1, 0],
): Features => ({
  data: Float64Array.from({ length: count * width }, (_, at) => {
    const [i, j] = [Math.floor(at / width), at % width];
    return (((a * i * i + b * i * j + c * j * j + 3 * i * (j + 1)) % 101) / 101) * scale + shift;
  }),
  width,
});

/** Independent standard normal rows, float32. */
export const normalRows = (count: number, width: number, seed: number): Features => {
  const source = random(seed, "rows");
  return { data: Float32Array.from({ length: count * width }, () => source.normal()), width };
};

/** The rows as arrays. */
export const listed = ({ data, width }: Features): number[][] =>
  Array.from({ length: data.length / width }, (_, i) => Array.from(data.subarray(i * width, (i + 1) * width)));

export const inner = (x: readonly number[], y: readonly number[]): number =>
  x.reduce((sum, value, i) => sum + value * y[i]!, 0);

export const distanceOf = (x: readonly number[], y: readonly number[]): number =>
  Math.sqrt(x.reduce((sum, value, i) => sum + (value - y[i]!) ** 2, 0));

/** Largest difference of two lists of numbers. */
export const gap = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
  Math.max(...Array.from(x, (value, i) => Math.abs(value - y[i]!)), Math.abs(x.length - y.length));
