/** A matrix in float64: data [rows, width], row-major. */
export interface Rows {
  readonly data: Float64Array;
  readonly width: number;
}

const side = 64; // rows of `b` that stay in the cache while all of `a` passes

/**
 * Adds the inner products of rows: out[i, j] += Σ_k a[i, k] · b[j, k], which is out += a bᵀ; out is [rows of a, rows of
 * b]. Every product is one sum in the order of k, so that equal rows give equal bits wherever they stand.
 */
export function addProducts(out: Float64Array, a: Rows, b: Rows): void {
  const [rows, columns] = [a.data.length / a.width, b.data.length / b.width];
  for (let from = 0; from < columns; from += side)
    addTile(out, { a: a.data, b: b.data, width: a.width, columns }, [0, rows, from, Math.min(from + side, columns)]);
}

/** out += a aᵀ on and below the diagonal; above it, out is left unfinished. */
export function addGram(out: Float64Array, a: Rows): void {
  const rows = a.data.length / a.width;
  for (let from = 0; from < rows; from += side)
    addTile(out, { a: a.data, b: a.data, width: a.width, columns: rows }, [
      from,
      rows,
      from,
      Math.min(from + side, rows),
    ]);
}

/** Copies what is below the diagonal of a square matrix to above it. */
export function mirror(matrix: Float64Array, width: number): void {
  for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) matrix[j * width + i] = matrix[i * width + j]!;
}

interface Operands {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly width: number;
  /** Rows of the whole of b: the width of the result. */
  readonly columns: number;
}

type Range = readonly [top: number, bottom: number, left: number, right: number];

/** Part of the result: patches of two rows by four columns, then the cells that are left. */
function addTile(out: Float64Array, operands: Operands, [top, bottom, left, right]: Range): void {
  const [evenBottom, evenRight] = [bottom - ((bottom - top) % 2), right - ((right - left) % 4)];
  for (let i = top; i < evenBottom; i += 2) for (let j = left; j < evenRight; j += 4) addPatch(out, operands, [i, j]);
  addCells(out, operands, [top, evenBottom, evenRight, right]);
  addCells(out, operands, [evenBottom, bottom, left, right]);
}

/**
 * Two rows by four columns: six numbers read for eight multiplications. Plain variables: V8 is 3 times slower with [x,
 * y] = ….
 */
function addPatch(out: Float64Array, { a, b, width, columns }: Operands, [i, j]: readonly [number, number]): void {
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  for (let k = 0, p = i * width, q = j * width; k < width; k++, p++, q++) {
    const x0 = a[p]!;
    const x1 = a[p + width]!;
    const y0 = b[q]!;
    const y1 = b[q + width]!;
    const y2 = b[q + 2 * width]!;
    const y3 = b[q + 3 * width]!;
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s03 += x0 * y3;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s13 += x1 * y3;
  }
  const first = i * columns + j;
  const second = first + columns;
  out[first]! += s00;
  out[first + 1]! += s01;
  out[first + 2]! += s02;
  out[first + 3]! += s03;
  out[second]! += s10;
  out[second + 1]! += s11;
  out[second + 2]! += s12;
  out[second + 3]! += s13;
}

/** Part of the result, cell by cell. */
function addCells(out: Float64Array, { a, b, width, columns }: Operands, [top, bottom, left, right]: Range): void {
  for (let i = top; i < bottom; i++)
    for (let j = left; j < right; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += a[i * width + k]! * b[j * width + k]!;
      out[i * columns + j]! += sum;
    }
}
