import { userError } from "../errors.ts";
import { symmetricEigen } from "./eigen.ts";
import { checkFeatures, type Features } from "./features.ts";
import { gaussianOf } from "./moments.ts";

/** Principal components of feature rows. */
export interface PrincipalComponents {
  /** [width] */
  readonly mean: Float64Array;
  /** Orthonormal directions as rows, most variance first, [width, width]; their signs are arbitrary. */
  readonly components: Float64Array;
  /** Variance along each direction (over count − 1), never below 0, [width]. */
  readonly variances: Float64Array;
}

/** Principal components of features [N, D], at least two rows: the eigenvectors of their covariance. */
export function principalComponents(features: Features): PrincipalComponents {
  checkFeatures("pca", features, 2);
  const { mean, covariance } = gaussianOf(features);
  const { values, vectors } = symmetricEigen(covariance, features.width);
  return { mean, components: vectors, variances: values.map((value) => Math.max(0, value)) };
}

/**
 * Mean squared error per number of feature rows [N, D] rebuilt from their first `count` components. No linear
 * autoencoder with so many codes does better on the rows that the components were fitted on (Eckart and Young 1936).
 * @throws UserError for rows of another width, or more components than there are
 */
export function reconstructionError(
  { mean, components }: PrincipalComponents,
  features: Features,
  count: number,
): number {
  const rows = checkFeatures("pca", features);
  const width = mean.length;
  if (features.width !== width)
    throw userError("pca", `expected feature rows of width ${width}, got ${features.width}`);
  if (!Number.isInteger(count) || count < 0 || count > width)
    throw userError("pca › count", `expected a whole number from 0 to ${width}, got ${count}`);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const rest = mean.map((value, i) => features.data[row * width + i]! - value);
    for (let c = 0; c < count; c++) subtractProjection(rest, components.subarray(c * width, (c + 1) * width));
    for (const value of rest) sum += value * value;
  }
  return sum / features.data.length;
}

/** Takes away from x what lies along a direction of length 1. */
function subtractProjection(x: Float64Array, direction: Float64Array): void {
  let along = 0;
  for (let i = 0; i < x.length; i++) along += x[i]! * direction[i]!;
  for (let i = 0; i < x.length; i++) x[i]! -= along * direction[i]!;
}
