import { userError } from "../errors.ts";

/** Feature vectors, one a row: data [count, width], row-major, any range. */
export interface Features {
  readonly data: Float32Array | Float64Array;
  readonly width: number;
}

/**
 * Feature vectors laid below each other, in float64. Every row must be as wide as the first.
 * @throws UserError for numbers that make no rows
 */
export function featuresOf(rows: readonly ArrayLike<number>[]): Features {
  const width = rows[0]?.length ?? 0;
  const data = new Float64Array(rows.length * width);
  for (const [at, row] of rows.entries()) {
    if (row.length !== width)
      throw userError(`features › row ${at}`, `expected ${width} numbers, as in row 0, got ${row.length}`);
    data.set(row, at * width);
  }
  return { data, width };
}

/** The number of rows. Throws unless there are `least` rows of whole width and every number is finite. */
export function checkFeatures(where: string, { data, width }: Features, least = 1): number {
  if (data.length > 0 && !(Number.isInteger(width) && width > 0 && data.length % width === 0))
    throw userError(where, `expected rows of one width, got ${data.length} numbers for rows of ${width}`);
  const count = data.length === 0 ? 0 : data.length / width;
  if (count < least)
    throw userError(where, `expected at least ${least} feature ${least === 1 ? "row" : "rows"}, got ${count}`);
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at >= 0)
    throw userError(
      where,
      `expected finite numbers, got ${data[at]} in row ${Math.floor(at / width)}, column ${at % width}`,
    );
  return count;
}

/** Throws unless two sets can be compared: each of at least `least` rows, both of one width. */
export function checkSets(where: string, sets: Readonly<Record<string, Features>>, least = 1): void {
  for (const [name, set] of Object.entries(sets)) checkFeatures(`${where} › ${name}`, set, least);
  const widths = new Set(Object.values(sets).map(({ width }) => width));
  if (widths.size > 1) throw userError(where, `expected feature rows of one width, got ${[...widths].join(" and ")}`);
}
