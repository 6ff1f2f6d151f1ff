import { checkFeatures, type Features } from "./features.ts";
import { eachSquaredDistance } from "./pairs.ts";

/** The mean Euclidean distance of two different rows [N, D] of a set, at least two rows. */
export function meanPairwiseDistance(rows: Features): number {
  const count = checkFeatures("diversity", rows, 2);
  let sum = 0;
  eachSquaredDistance(rows, rows, ({ top, left, rows: height, columns, values }) => {
    for (let i = 0; i < height; i++) {
      const end = Math.min(columns, top + i - left); // each pair once
      for (let j = 0; j < end; j++) sum += Math.sqrt(values[i * columns + j]!);
    }
  });
  return (2 * sum) / (count * (count - 1));
}

/** Rows of pixels with their classes; all of one class where none are given. */
export interface Labeled {
  readonly rows: Features;
  readonly labels?: readonly number[];
}

/**
 * How different made pictures are from each other, as a share of how different real ones are (mean Euclidean distance
 * of two):
 * 0 where all are the same, about 1 where they are as varied as the real ones. Pictures of a class are compared with
 * each other only, and the classes averaged; classes with fewer than two pictures on either side are left out.
 * Undefined where none is left.
 */
export function diversity(made: Labeled, real: Labeled): number | undefined {
  const [ours, theirs] = [byClass(made), byClass(real)];
  const shared = [...ours.keys()].filter((label) => theirs.has(label));
  if (shared.length === 0) return undefined;
  const shares = shared.map((label) => share(ours.get(label)!, theirs.get(label)!));
  return shares.reduce((sum, one) => sum + one / shares.length, 0);
}

/** Real pictures that are all the same leave nothing to fall short of. */
function share(made: Features, real: Features): number {
  const most = meanPairwiseDistance(real);
  return most > 0 ? meanPairwiseDistance(made) / most : 1;
}

/** The rows of each class that has at least two. */
function byClass({ rows: { data, width }, labels }: Labeled): ReadonlyMap<number, Features> {
  const count = data.length / width;
  const members = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const label = labels?.[i] ?? 0;
    members.set(label, [...(members.get(label) ?? []), i]);
  }
  return new Map(
    [...members].flatMap(([label, numbers]) => {
      if (numbers.length < 2) return [];
      const own = new Float64Array(numbers.length * width);
      for (const [at, i] of numbers.entries()) own.set(data.subarray(i * width, (i + 1) * width), at * width);
      return [[label, { data: own, width }] as const];
    }),
  );
}
