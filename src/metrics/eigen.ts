import { internal } from "../errors.ts";

/** A symmetric matrix's eigenvalues, largest first, and its orthonormal eigenvectors as rows, [width, width]. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** A symmetric tridiagonal matrix: `off[i]` stands beside `diagonal[i]` and `diagonal[i + 1]`. */
interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly off: Float64Array;
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix [width, width], of which only the part on and below the diagonal
 * is read. Householder's reduction to a tridiagonal matrix, then QL steps with implicit shifts: Golub and Van Loan,
 * "Matrix Computations" (4th ed.), 8.3; Wilkinson and Reinsch, "Handbook for Automatic Computation II", contributions
 * II/2 and II/4. The error of a value is some 1e-16 of the largest one. Values alone take about a third of the time.
 */
export function symmetricEigen(matrix: Float64Array, width: number): Eigen {
  const work = matrix.slice();
  const tridiagonal = reduce(work, width);
  const vectors = reflections(work, width);
  diagonalize(tridiagonal, (row, cosine, sine) => rotate(vectors, row * width, { width, cosine, sine }));
  const order = Array.from(tridiagonal.diagonal.keys()).sort(
    (i, j) => tridiagonal.diagonal[j]! - tridiagonal.diagonal[i]!,
  );
  const sorted = new Float64Array(width * width);
  for (const [to, from] of order.entries()) sorted.set(vectors.subarray(from * width, (from + 1) * width), to * width);
  return { values: Float64Array.from(order, (from) => tridiagonal.diagonal[from]!), vectors: sorted };
}

/** Eigenvalues of a symmetric matrix [width, width], largest first; the same as those of `symmetricEigen`. */
export function symmetricEigenvalues(matrix: Float64Array, width: number): Float64Array {
  const tridiagonal = reduce(matrix.slice(), width);
  diagonalize(tridiagonal, () => {});
  return tridiagonal.diagonal.sort().reverse();
}

/**
 * Householder's reduction, from the last row up: reflection I − u uᵀ / h with h = |u|² / 2 takes row i to the left of
 * its last off-diagonal cell to zero. The vectors u stay in `a` below the diagonal, zero where there was nothing to do.
 */
function reduce(a: Float64Array, width: number): Tridiagonal {
  const [diagonal, off] = [new Float64Array(width), new Float64Array(width)];
  const q = new Float64Array(width);
  const unit = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1; // no square over- or underflows
  for (let i = 0; i < a.length; i++) a[i]! /= unit;
  for (let i = width - 1; i > 0; i--) {
    const u = a.subarray(i * width, i * width + i);
    const last = u[i - 1]!;
    const rest = dot(u, u, i - 1);
    if (rest === 0) {
      off[i - 1] = last * unit;
      u.fill(0);
      continue;
    }
    const beta = last > 0 ? -Math.sqrt(rest + last * last) : Math.sqrt(rest + last * last);
    off[i - 1] = beta * unit;
    u[i - 1] = last - beta;
    reflectBoth(a, { width, u, h: beta * (beta - last) }, q);
  }
  for (let i = 0; i < width; i++) diagonal[i] = a[i * width + i]! * unit;
  return { diagonal, off };
}

const dot = (x: Float64Array, y: Float64Array, length: number): number => {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += x[k]! * y[k]!;
  return sum;
};

interface Reflection {
  readonly width: number;
  readonly u: Float64Array;
  readonly h: number;
}

/** A ← P A P on the leading square as wide as u: A − u qᵀ − q uᵀ, where p = A u / h and q = p − u (uᵀ p / 2h). */
function reflectBoth(a: Float64Array, { width, u, h }: Reflection, q: Float64Array): void {
  const size = u.length;
  q.fill(0, 0, size);
  for (let j = 0; j < size; j++) {
    const [row, uj] = [j * width, u[j]!];
    let sum = a[row + j]! * uj;
    for (let k = 0; k < j; k++) {
      const value = a[row + k]!;
      sum += value * u[k]!;
      q[k]! += value * uj;
    }
    q[j]! += sum;
  }
  const half = dot(u, q, size) / (2 * h);
  for (let k = 0; k < size; k++) q[k] = (q[k]! - half * u[k]!) / h;
  for (let j = 0; j < size; j++) {
    const [row, uj, qj] = [j * width, u[j]!, q[j]!];
    for (let k = 0; k <= j; k++) a[row + k]! -= uj * q[k]! + qj * u[k]!;
  }
}

/** The product of the reflections that `reduce` left in `a`, first to last: rows that QL turns into eigenvectors. */
function reflections(a: Float64Array, width: number): Float64Array {
  const product = new Float64Array(width * width);
  for (let i = 0; i < width; i++) product[i * width + i] = 1;
  for (let i = 1; i < width; i++) {
    const u = a.subarray(i * width, i * width + i);
    const h = dot(u, u, i) / 2;
    if (h === 0) continue;
    for (let r = 0; r < i; r++) {
      const row = r * width;
      let sum = 0;
      for (let k = 0; k < i; k++) sum += product[row + k]! * u[k]!;
      sum /= h;
      for (let k = 0; k < i; k++) product[row + k]! -= sum * u[k]!;
    }
  }
  return product;
}

/**
 * QL with implicit shifts, in place: `diagonal` becomes the eigenvalues. `turn` is told of every plane rotation of rows
 * `row` and `row + 1`. An off-diagonal cell counts as zero below the precision of the largest cell.
 */
function diagonalize(
  { diagonal: d, off: e }: Tridiagonal,
  turn: (row: number, cosine: number, sine: number) => void,
): void {
  const largest = d.reduce((most, value, i) => Math.max(most, Math.abs(value), Math.abs(e[i]!)), 0);
  const none = Number.EPSILON * largest;
  for (let first = 0; first < d.length; first++)
    for (let step = 0; ; step++) {
      let end = first;
      while (end < d.length - 1 && Math.abs(e[end]!) > none) end++;
      if (end === first) break;
      if (step === 60) throw internal(`the eigenvalues of a ${d.length}×${d.length} matrix do not converge`);
      qlStep({ diagonal: d, off: e }, [first, end], turn);
    }
}

/** One QL step on rows first … end, shifted by the eigenvalue of the leading 2×2 that is nearer to its first cell. */
function qlStep(
  { diagonal: d, off: e }: Tridiagonal,
  [first, end]: readonly [number, number],
  turn: (row: number, cosine: number, sine: number) => void,
): void {
  const ratio = (d[first + 1]! - d[first]!) / (2 * e[first]!);
  const shift = d[first]! - e[first]! / (ratio + Math.sign(ratio || 1) * Math.hypot(ratio, 1));
  let [g, sine, cosine, p] = [d[end]! - shift, 1, 1, 0];
  for (let i = end - 1; i >= first; i--) {
    const [f, b] = [sine * e[i]!, cosine * e[i]!];
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1]! -= p;
      e[end] = 0;
      return;
    }
    [sine, cosine] = [f / r, g / r];
    g = d[i + 1]! - p;
    const t = (d[i]! - g) * sine + 2 * cosine * b;
    p = sine * t;
    d[i + 1] = g + p;
    g = cosine * t - b;
    turn(i, cosine, sine);
  }
  d[first]! -= p;
  e[first] = g;
  e[end] = 0;
}

interface Turn {
  readonly width: number;
  readonly cosine: number;
  readonly sine: number;
}

/** Turns the row at `at` and the one below it in their plane. */
function rotate(rows: Float64Array, at: number, { width, cosine, sine }: Turn): void {
  for (let k = at, next = at + width; k < at + width; k++, next++) {
    const x = rows[k]!;
    const y = rows[next]!;
    rows[next] = sine * x + cosine * y;
    rows[k] = cosine * x - sine * y;
  }
}
