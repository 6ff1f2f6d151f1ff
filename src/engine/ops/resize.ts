import type { Shape } from "../../tensor/tensor.ts";
import type { Emit } from "../graph/emit.ts";
import { defineOp, type Example, misfit, type Node, type OpFunction, type Receptive } from "../graph/node.ts";
import { onPicture } from "../graph/receptiveField.ts";
import { both, emitBoth, type Matrix, matrix, transposed } from "./linearMap.ts";

export type ResizeMode = "nearest" | "linear" | "cubic";

interface Resized {
  readonly height: number;
  readonly width: number;
  readonly mode: ResizeMode;
  readonly antialias: boolean;
}

interface ResizedFrom extends Resized {
  /** Height and width before. */
  readonly from: readonly number[];
}

/** Weight of a pixel at a distance: the triangle, or Keys' cubic with a = −0.5. */
const KERNELS: Record<"linear" | "cubic", { reach: number; weight: (distance: number) => number }> = {
  linear: { reach: 1, weight: (d) => Math.max(0, 1 - d) },
  cubic: {
    reach: 2,
    weight: (d) => (d < 1 ? (1.5 * d - 2.5) * d * d + 1 : d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0),
  },
};

/** One axis of a resize as a matrix [to, from]: half-pixel centers, pixels outside left out, weights of sum 1. */
function interpolation(from: number, to: number, mode: ResizeMode, antialias: boolean): Matrix {
  if (mode === "nearest") return matrix(to, from, (at) => [[Math.floor((at * from) / to), 1]]);
  const { reach, weight } = KERNELS[mode];
  const widening = antialias ? Math.max(1, from / to) : 1;
  return matrix(to, from, (at) => {
    const center = ((at + 0.5) * from) / to - 0.5;
    const first = Math.max(0, Math.ceil(center - reach * widening));
    const last = Math.min(from - 1, Math.floor(center + reach * widening));
    const weights = Array.from({ length: last - first + 1 }, (_, tap) =>
      weight(Math.abs(first + tap - center) / widening),
    );
    const total = weights.reduce((a, b) => a + b, 0);
    return weights.map((value, tap) => [first + tap, value / total]);
  });
}

const matrices = (from: readonly number[], to: readonly number[], { mode, antialias }: Resized): [Matrix, Matrix] => [
  interpolation(from[0]!, to[0]!, mode, antialias),
  interpolation(from[1]!, to[1]!, mode, antialias),
];

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** What one axis of a resize sees: `interpolation` in other words. */
function seen(axis: number, from: number, to: number, { mode, antialias }: Resized): Receptive {
  const stride = from / to;
  if (mode === "nearest") return { axis, stride, before: 1 - divisor(from, to) / to, after: 0 };
  const reach = KERNELS[mode].reach * (antialias ? Math.max(1, stride) : 1);
  const center = (stride - 1) / 2; // of output pixel 0
  return { axis, stride, before: reach - center, after: reach + center };
}

const CASES: readonly (readonly [from: [number, number], to: [number, number], ResizeMode, antialias: boolean])[] = [
  [[3, 4], [6, 8], "nearest", false],
  [[6, 4], [3, 2], "nearest", false],
  [[5, 4], [7, 3], "nearest", false],
  [[3, 4], [6, 8], "linear", false],
  [[8, 9], [4, 3], "linear", false],
  [[8, 9], [4, 3], "linear", true],
  [[5, 4], [7, 5], "linear", false],
  [[3, 4], [6, 8], "cubic", false],
  [[9, 8], [3, 4], "cubic", true],
  [[7, 5], [5, 6], "cubic", true],
]; // biome-ignore format: a table

const examples = (side: "small" | "gradient"): Example<ResizedFrom>[] =>
  CASES.map(([from, [height, width], mode, antialias]) => ({
    inputs: [[1, 2, ...(side === "small" ? from : [height, width])]],
    attributes: { height, width, mode, antialias, from },
  }));

/** Writes every pixel repeated in a block of whole numbers. */
export const emitRepeat = (emit: Emit, x: string, factors: readonly number[]): string =>
  emit.node("Resize", [x, "", emit.constant([1, 1, ...factors], [4])], {
    mode: "nearest",
    coordinate_transformation_mode: "asymmetric",
    nearest_mode: "floor",
  });

/** How many times larger each side becomes, when those are whole numbers. */
const factorsOf = (from: Shape, to: Shape): number[] | undefined => {
  const factors = to.map((side, axis) => side / from[axis]!);
  return factors.every(Number.isInteger) ? factors : undefined;
};

/**
 * Writes a resize. Nearest by a whole number and linear are ONNX Resize, which is up to four times faster than two
 * products with interpolation matrices; for cubic without antialias those are forty times faster, and nearest by
 * fractions is exact.
 */
function emitResize(emit: Emit, x: string, shape: Shape, attributes: Resized): string {
  const { height, width, mode, antialias } = attributes;
  const from = shape.slice(2);
  const factors = factorsOf(from, [height, width]);
  if (mode === "nearest" && factors) return emitRepeat(emit, x, factors);
  if (mode === "linear" && !antialias) {
    const target = factors
      ? ["", emit.constant([1, 1, ...factors], [4])]
      : ["", "", emit.ints([shape[0]!, shape[1]!, height, width])];
    return emit.node("Resize", [x, ...target], { mode: "linear", coordinate_transformation_mode: "half_pixel" });
  }
  return emitBoth(emit, x, shape, ...matrices(from, [height, width], attributes));
}

/** A picture in another size. */
export const resizeOp: OpFunction<Resized> = defineOp<Resized>({
  name: "resize",
  shape(inputs, { height, width, mode, antialias }) {
    const { shape } = inputs[0]!;
    if (shape.length !== 4) throw misfit("resize", inputs, "expected [N, C, H, W]");
    if (![height, width].every((side) => Number.isInteger(side) && side > 0))
      throw misfit("resize", inputs, `expected a height and width in pixels, got ${height} × ${width}`);
    if (antialias && mode === "nearest") throw misfit("resize", inputs, "nearest has no antialiasing");
    return [shape[0]!, shape[1]!, height, width];
  },
  gradient: (dy, { inputs: [x], attributes }) => [resizeGradientOp([dy], { ...attributes, from: x!.shape.slice(2) })],
  onnx: (emit, [x], { inputs, attributes }) => emitResize(emit, x!, inputs[0]!.shape, attributes),
  reference: ([x], { shape, attributes }) => both(x!, ...matrices(x!.shape.slice(2), shape.slice(2), attributes)),
  receptive: ({ inputs, shape, attributes }, input, axis) =>
    onPicture(input, axis, () => seen(axis, inputs[0]!.shape[axis]!, shape[axis]!, attributes)),
  examples: examples("small"),
});

/** The gradient of resize: the same weights, read the other way. */
export const resizeGradientOp: OpFunction<ResizedFrom> = defineOp<ResizedFrom>({
  name: "resizeGradient",
  shape: ([dy], { from }) => [...dy!.shape.slice(0, 2), ...from],
  gradient: (g, { attributes: { height, width, mode, antialias } }) => [
    resizeOp([g], { height, width, mode, antialias }),
  ],
  onnx(emit, [dy], { inputs, attributes }) {
    const { shape } = inputs[0]!;
    const factors = factorsOf(attributes.from, shape.slice(2));
    if (attributes.mode === "nearest" && factors) {
      const means = emit.node("AveragePool", [dy!], { kernel_shape: factors, strides: factors });
      return emit.node("Mul", [means, emit.scalar(factors[0]! * factors[1]!)]);
    }
    const [vertical, horizontal] = matrices(attributes.from, shape.slice(2), attributes);
    return emitBoth(emit, dy!, shape, transposed(vertical), transposed(horizontal));
  },
  reference([dy], { attributes }) {
    const [vertical, horizontal] = matrices(attributes.from, dy!.shape.slice(2), attributes);
    return both(dy!, transposed(vertical), transposed(horizontal));
  },
  examples: examples("gradient"),
});

/**
 * A picture x [N, C, H, W] in another size, pixel centers at halves; pixels outside are left out and the weights
 * brought to a sum of 1. Cubic is Keys' kernel with a = −0.5 (PyTorch: −0.75 without antialias, −0.5 with it).
 * @param options.mode nearest takes pixel ⌊i · from / to⌋, as PyTorch's "nearest"     @param options.antialias widens
 * the kernel when shrinking
 */
export const resize = (
  x: Node,
  { height, width }: { readonly height: number; readonly width: number },
  { mode, antialias = false }: { readonly mode: ResizeMode; readonly antialias?: boolean },
): Node => resizeOp([x], { height, width, mode, antialias });
