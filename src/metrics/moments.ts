import { userError } from "../errors.ts";
import { checkFeatures, type Features } from "./features.ts";
import { addGram, mirror } from "./products.ts";

/**
 * Mean [width] and unbiased covariance [width, width] (over count − 1, as np.cov) of `count` feature rows, in float64.
 */
export interface Gaussian {
  readonly count: number;
  readonly mean: Float64Array;
  readonly covariance: Float64Array;
}

/** Collects mean and covariance batch by batch; holds width² numbers however many rows pass. */
export interface Moments {
  /** A batch [any number, width]. A batch that is refused leaves nothing behind. */
  add(batch: Features): void;
  /** Of all rows so far, at least two. */
  gaussian(): Gaussian;
}

const chunk = 128; // rows that are centered on their own mean and multiplied together

/**
 * Starts at no rows. Sums of squares about a mean are joined as Chan, Golub and LeVeque, "Updating Formulae and a
 * Pairwise Algorithm for Computing Sample Variances" (1979), eq. 1.5: features far from zero lose no digits.
 * @throws UserError for rows of another width
 */
export function createMoments(width: number): Moments {
  const mean = new Float64Array(width);
  const scatter = new Float64Array(width * width); // finished on and below the diagonal
  let count = 0;
  const join = (own: Float64Array, rows: number): void => {
    const difference = own.map((value, i) => value - mean[i]!);
    const weight = (count * rows) / (count + rows);
    for (let i = 0; i < width; i++) {
      const scaled = weight * difference[i]!;
      if (scaled !== 0) for (let j = 0; j <= i; j++) scatter[i * width + j]! += scaled * difference[j]!;
      mean[i]! += (difference[i]! * rows) / (count + rows);
    }
    count += rows;
  };
  return {
    add(batch) {
      const rows = checkFeatures("moments", batch);
      if (batch.width !== width)
        throw userError("moments", `expected feature rows of width ${width}, got ${batch.width}`);
      for (let from = 0; from < rows; from += chunk) {
        const part = batch.data.subarray(from * width, Math.min(from + chunk, rows) * width);
        const { own, data } = centered(part, width);
        addGram(scatter, { data, width: part.length / width });
        join(own, part.length / width);
      }
    },
    gaussian() {
      if (count < 2) throw userError("moments", `expected at least 2 feature rows for a covariance, got ${count}`);
      const covariance = scatter.map((sum) => sum / (count - 1));
      mirror(covariance, width);
      return { count, mean: mean.slice(), covariance };
    },
  };
}

/** Mean of some rows, and the rows less their mean on their side: [width, rows]. */
function centered(part: Float32Array | Float64Array, width: number): { own: Float64Array; data: Float64Array } {
  const rows = part.length / width;
  const own = new Float64Array(width);
  for (let i = 0; i < part.length; i++) own[i % width]! += part[i]! / rows;
  const data = new Float64Array(part.length);
  for (let i = 0; i < width; i++) for (let r = 0; r < rows; r++) data[i * rows + r] = part[r * width + i]! - own[i]!;
  return { own, data };
}

/** Mean and covariance of a whole set, at least two rows. */
export function gaussianOf(features: Features): Gaussian {
  const moments = createMoments(features.width);
  moments.add(features);
  return moments.gaussian();
}
