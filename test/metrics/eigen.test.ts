import { describe, expect, test } from "vitest";
import { symmetricEigen, symmetricEigenvalues } from "../../src/metrics/eigen.ts";
import { gaussianOf } from "../../src/metrics/moments.ts";
import { random } from "../../src/tensor/random.ts";
import { gap, inner, listed, normalRows } from "./rows.ts";

const square = (rows: readonly (readonly number[])[]) => Float64Array.from(rows.flat());

/** What eigenvectors promise, checked from the definition: A v = λ v, and v·w is 1 or 0. */
function errors(matrix: Float64Array, width: number): { residual: number; angle: number } {
  const { values, vectors } = symmetricEigen(matrix, width);
  const [a, v] = [listed({ data: matrix, width }), listed({ data: vectors, width })];
  let [residual, angle] = [0, 0];
  for (let i = 0; i < width; i++) {
    for (let r = 0; r < width; r++)
      residual = Math.max(residual, Math.abs(inner(a[r]!, v[i]!) - values[i]! * v[i]![r]!));
    for (let j = 0; j <= i; j++) angle = Math.max(angle, Math.abs(inner(v[i]!, v[j]!) - (i === j ? 1 : 0)));
  }
  return { residual, angle };
}

describe("known matrices", () => {
  test("2×2: [[2, 1], [1, 2]] has 3 along (1, 1) and 1 along (1, −1)", () => {
    const { values, vectors } = symmetricEigen(square([[2, 1], [1, 2]]), 2); // biome-ignore format: rows
    expect(gap(values, [3, 1])).toBeLessThan(1e-15);
    expect(
      gap(
        vectors.map(Math.abs),
        [1, 1, 1, 1].map(Math.sqrt).map((one) => one / Math.SQRT2),
      ),
    ).toBeLessThan(1e-15);
    expect(vectors[0]! * vectors[1]!).toBeCloseTo(0.5, 14);
    expect(vectors[2]! * vectors[3]!).toBeCloseTo(-0.5, 14);
  });
  test("second differences: 2 − 2 cos(π i / (n + 1))", () => {
    const n = 50;
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      matrix[i * n + i] = 2;
      if (i > 0) matrix[i * n + i - 1] = matrix[(i - 1) * n + i] = -1;
    }
    const expected = Array.from({ length: n }, (_, i) => 2 - 2 * Math.cos((Math.PI * (n - i)) / (n + 1)));
    expect(gap(symmetricEigenvalues(matrix, n), expected)).toBeLessThan(1e-14);
    expect(gap(symmetricEigen(matrix, n).values, expected)).toBeLessThan(1e-14);
  });
  test("all ones: n once, then zeros", () => {
    expect(gap(symmetricEigenvalues(new Float64Array(900).fill(1), 30), [30, ...Array(29).fill(0)])).toBeLessThan(
      1e-13,
    );
  });
  test("diagonal, zero, of one cell; negative ones sort last", () => {
    const { values, vectors } = symmetricEigen(square([[-4, 0, 0], [0, 7, 0], [0, 0, 2]]), 3); // biome-ignore format: rows
    expect([...values]).toEqual([7, 2, -4]);
    expect(vectors.map(Math.abs)).toEqual(square([[0, 1, 0], [0, 0, 1], [1, 0, 0]])); // biome-ignore format: rows
    expect([...symmetricEigenvalues(new Float64Array(9), 3)]).toEqual([0, 0, 0]);
    expect(symmetricEigen(Float64Array.of(-3), 1)).toEqual({
      values: Float64Array.of(-3),
      vectors: Float64Array.of(1),
    });
  });
  test("only the part on and below the diagonal is read", () => {
    expect(symmetricEigenvalues(square([[2, 99], [1, 2]]), 2)[0]).toBeCloseTo(3, 14); // biome-ignore format: rows
  });
});

describe("the definition holds", () => {
  const source = random(4, "eigen");
  const width = 61;
  const noise = Float64Array.from({ length: width * width }, () => source.normal());
  const symmetric = noise.map((value, at) => value + noise[(at % width) * width + Math.floor(at / width)]!);

  test.each([1, 1e-170, 1e150])("a random matrix times %f", (unit) => {
    const { residual, angle } = errors(
      symmetric.map((value) => value * unit),
      width,
    );
    expect(residual / unit).toBeLessThan(1e-12);
    expect(angle).toBeLessThan(1e-13);
  });
  test("a covariance of fewer rows than features, one that repeats, one over 16 powers of ten", () => {
    const { covariance } = gaussianOf(normalRows(20, width, 1));
    expect(errors(covariance, width).residual).toBeLessThan(1e-13);
    expect(symmetricEigenvalues(covariance, width).filter((value) => value > 1e-12)).toHaveLength(19);
    const graded = symmetric.map((value, at) => value * 10 ** (-(Math.floor(at / width) + (at % width)) / 8));
    expect(errors(graded, width).residual).toBeLessThan(1e-13);
  });
});
