import { userError } from "../errors.ts";
import { permutation, random } from "../tensor/random.ts";
import { checkSets, type Features } from "./features.ts";
import { eachProduct } from "./pairs.ts";

export interface KidOptions {
  readonly seed: number;
  /** How many estimates to average. */
  readonly subsets?: number;
  /** Rows drawn of each set for one estimate, without replacement; a set with no more rows is taken whole. */
  readonly size?: number;
}

export interface Kid {
  /** An unbiased estimate: around 0, also below, for sets of one distribution. */
  readonly mean: number;
  /** Of the estimates about their mean, divided by their number; 0 if there was but one. */
  readonly deviation: number;
}

/**
 * Kernel distance of two sets of features [N, D] and [M, D]: the squared maximum mean discrepancy of the kernel
 * (x·y / D + 1)³, averaged over seeded subsets. Two sets that are both taken whole give one estimate.
 * Bińkowski et al., "Demystifying MMD GANs", https://arxiv.org/abs/1801.01401, section 4 and appendix D.
 * @throws UserError for features of different widths, or too few
 */
export function kid(real: Features, fake: Features, { seed, subsets = 100, size = 1000 }: KidOptions): Kid {
  checkSets("kid", { real, fake }, 2);
  if (!Number.isInteger(subsets) || subsets < 1)
    throw userError("kid › subsets", `expected a whole number from 1, got ${subsets}`);
  if (!Number.isInteger(size) || size < 2) throw userError("kid › size", `expected a whole number from 2, got ${size}`);
  const areWhole = Math.max(real.data.length, fake.data.length) <= size * real.width;
  const estimates = Array.from({ length: areWhole ? 1 : subsets }, (_, subset) =>
    squaredDiscrepancy(draw(real, size, [seed, "kid real", subset]), draw(fake, size, [seed, "kid fake", subset])),
  );
  const mean = estimates.reduce((sum, value) => sum + value, 0) / estimates.length;
  const variance = estimates.reduce((sum, value) => sum + (value - mean) ** 2, 0) / estimates.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/** `size` different rows, or all when there are no more. */
function draw({ data, width }: Features, size: number, words: readonly (number | string)[]): Features {
  const count = data.length / width;
  if (count <= size) return { data, width };
  const rows = new Float64Array(size * width);
  const order = permutation(count, random(...words));
  for (let i = 0; i < size; i++) rows.set(data.subarray(order[i]! * width, (order[i]! + 1) * width), i * width);
  return { data: rows, width };
}

/**
 * The unbiased estimate of MMD²: means of the kernel over different rows of x, of y, less twice that between x and y.
 */
function squaredDiscrepancy(x: Features, y: Features): number {
  const [m, n] = [x.data.length / x.width, y.data.length / y.width];
  const within = (2 * kernelSum(x, x)) / (m * (m - 1)) + (2 * kernelSum(y, y)) / (n * (n - 1));
  return within - (2 * kernelSum(x, y)) / (m * n);
}

/** Σ (x·y / D + 1)³ over all pairs; within one set, over every pair of different rows once. */
function kernelSum(x: Features, y: Features): number {
  let sum = 0;
  eachProduct(x, y, ({ top, left, rows, columns, values }) => {
    for (let i = 0; i < rows; i++) {
      const end = x === y ? Math.min(columns, top + i - left) : columns;
      for (let j = 0; j < end; j++) {
        const base = values[i * columns + j]! / x.width + 1;
        sum += base * base * base;
      }
    }
  });
  return sum;
}
