import { type Shape, sizeOf } from "../../tensor/tensor.ts";
import { defineOp, type Example, misfit, type Node, type OpFunction, type Receptive } from "../graph/node.ts";
import { still } from "../graph/receptiveField.ts";
import { type Pair, pairOf } from "./convolution.ts";
import { equal, mul, toFloat } from "./elementwise.ts";
import { constant } from "./leaf.ts";
import { both, emitBoth, type Matrix, matrix, transposed } from "./linearMap.ts";
import { pad } from "./pad.ts";
import { spaceToDepth } from "./pixelShuffle.ts";
import { max, mean } from "./reduce.ts";
import { emitRepeat } from "./resize.ts";
import { concat, reshape, slice } from "./shape.ts";

/** How a window walks over a picture, [vertical, horizontal] in pixels; `padding` lies on both sides. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
}

export interface PoolOptions {
  readonly kernel: Pair;
  /** The kernel's size when absent. */
  readonly stride?: Pair;
  readonly padding?: Pair;
}

const windowOf = ({ kernel, stride = kernel, padding = 0 }: PoolOptions): Window => ({
  kernel: pairOf(kernel),
  stride: pairOf(stride),
  padding: pairOf(padding),
});

function pooledShape(op: string, inputs: readonly Node[], { kernel, stride, padding }: Window): Shape {
  const { shape } = inputs[0]!;
  if (shape.length !== 4) throw misfit(op, inputs, "expected [N, C, H, W]");
  if (padding.some((p, axis) => p > kernel[axis]! / 2)) throw misfit(op, inputs, "padding is over half the kernel");
  const sides = [0, 1].map((axis) => {
    const room = shape[axis + 2]! + 2 * padding[axis]! - kernel[axis]!;
    return Math.floor(room / stride[axis]!) + 1;
  });
  if (sides.some((side) => side < 1)) throw misfit(op, inputs, "the picture is smaller than the window");
  return [shape[0]!, shape[1]!, ...sides];
}

const onnxAttributes = ({ kernel, stride, padding }: Window) => ({
  kernel_shape: kernel,
  strides: stride,
  pads: [...padding, ...padding],
});

const window = (kernel: Pair, stride: Pair = kernel, padding: Pair = 0): Window =>
  windowOf({ kernel, stride, padding });

const WINDOWS: readonly Example<Window>[] = [
  { inputs: [[2, 3, 4, 6]], attributes: window(2) },
  { inputs: [[1, 2, 5, 7]], attributes: window(2) },
  { inputs: [[1, 2, 6, 7]], attributes: window(3, 2, 1) },
  { inputs: [[1, 1, 5, 6]], attributes: window(3, 1, 1) },
  { inputs: [[1, 2, 6, 8]], attributes: window([2, 3], [1, 2], [0, 1]) },
];

/** What a window sees; channels are apart. */
function pooled({ attributes: { kernel, stride, padding } }: Node<Window>, _: number, axis: number): Receptive {
  if (axis < 2) return still(axis);
  const side = axis === 2 ? 0 : 1;
  return { axis, stride: stride[side], before: padding[side], after: kernel[side] - 1 - padding[side] };
}

/** The mean of every window along one axis as a matrix [windows, side]; zeros of the border count. */
const averages = (axis: 0 | 1, side: number, windows: number, { kernel, stride, padding }: Window): Matrix =>
  matrix(windows, side, (at) =>
    Array.from({ length: kernel[axis] }, (_, tap) => at * stride[axis] - padding[axis] + tap)
      .filter((place) => place >= 0 && place < side)
      .map((place) => [place, 1 / kernel[axis]]),
  );

/** Both matrices of a pooling from `size` to `pooled` pixels. */
const averageMatrices = (size: readonly number[], pooled: readonly number[], walk: Window): [Matrix, Matrix] => [
  averages(0, size[0]!, pooled[0]!, walk),
  averages(1, size[1]!, pooled[1]!, walk),
];

/** Mean of every window; zeros of the border count. */
export const averagePoolOp: OpFunction<Window> = defineOp<Window>({
  name: "averagePool",
  shape: (inputs, walk) => pooledShape("averagePool", inputs, walk),
  gradient: (dy, { inputs: [x], attributes }) => [
    averagePoolGradientOp([dy], { ...attributes, size: x!.shape.slice(2) }),
  ],
  onnx: (emit, inputs, { attributes }) =>
    emit.node("AveragePool", inputs, { ...onnxAttributes(attributes), count_include_pad: 1 }),
  reference: ([x], { shape, attributes }) =>
    both(x!, ...averageMatrices(x!.shape.slice(2), shape.slice(2), attributes)),
  receptive: pooled,
  examples: WINDOWS,
});

interface Spread extends Window {
  /** Height and width of the picture that was pooled. */
  readonly size: readonly number[];
}

/** The gradient of averagePool: every number spread evenly over its window. */
export const averagePoolGradientOp: OpFunction<Spread> = defineOp<Spread>({
  name: "averagePoolGradient",
  shape: ([dy], { size }) => [...dy!.shape.slice(0, 2), ...size],
  gradient: (g, { attributes: { kernel, stride, padding } }) => [averagePoolOp([g], { kernel, stride, padding })],
  onnx(emit, [dy], { inputs, attributes }) {
    const { kernel, stride, padding, size } = attributes;
    if (stride.every((step) => step === 1)) {
      const mirrored: Window = { kernel, stride, padding: [kernel[0] - 1 - padding[0], kernel[1] - 1 - padding[1]] };
      return emit.node("AveragePool", [dy!], { ...onnxAttributes(mirrored), count_include_pad: 1 });
    }
    const pooled = inputs[0]!.shape;
    if (kernel.every((side, axis) => stride[axis] === side && pooled[axis + 2]! * side === size[axis]))
      return emitRepeat(emit, emit.node("Mul", [dy!, emit.scalar(1 / (kernel[0] * kernel[1]))]), kernel);
    const [vertical, horizontal] = averageMatrices(size, pooled.slice(2), attributes);
    return emitBoth(emit, dy!, pooled, transposed(vertical), transposed(horizontal));
  },
  reference([dy], { attributes }) {
    const [vertical, horizontal] = averageMatrices(attributes.size, dy!.shape.slice(2), attributes);
    return both(dy!, transposed(vertical), transposed(horizontal));
  },
  examples: [
    { inputs: [[2, 3, 2, 3]], attributes: { ...window(2), size: [4, 6] } },
    { inputs: [[1, 2, 2, 3]], attributes: { ...window(2), size: [5, 7] } },
    { inputs: [[1, 2, 3, 4]], attributes: { ...window(3, 2, 1), size: [6, 7] } },
    { inputs: [[1, 1, 5, 6]], attributes: { ...window(3, 1, 1), size: [5, 6] } },
  ],
});

/**
 * Mean of every window of x [N, C, H, W] → [N, C, H', W']; H' = ⌊(H + 2·padding − kernel) / stride⌋ + 1. Zeros of the
 * border count.
 */
export const averagePool = (x: Node, options: PoolOptions): Node => averagePoolOp([x], windowOf(options));

const LOWEST = -3.4e38; // a border that no maximum comes from

/** Every window's elements side by side: x [N, C, H, W] → [N, C, kernel area, H'·W'], first row first. */
function windows(x: Node, { kernel: [kh, kw], stride: [sh, sw], padding: [ph, pw] }: Window, pooled: Shape): Node {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  const [h, w] = pooled.slice(2) as [number, number];
  if (kh === kw && kh === sh && kw === sw && h * kh === height && w * kw === width)
    return reshape(spaceToDepth(x, kh), [n, c, kh * kw, h * w]);
  const room = pad(x, [[0, 0], [0, 0], [ph, ph], [pw, pw]], { value: LOWEST }); // biome-ignore format: one line
  const taps = Array.from({ length: kh * kw }, (_, tap) => {
    const [a, b] = [Math.floor(tap / kw), tap % kw];
    const cut = slice(room, [0, 0, a, b], [n, c, a + (h - 1) * sh + 1, b + (w - 1) * sw + 1], [1, 1, sh, sw]);
    return reshape(cut, [n, c, 1, h * w]);
  });
  return concat(taps, 2);
}

/** Largest of every window; the first one gets the gradient when several are equal, as in PyTorch. */
export const maxPoolOp = defineOp<Window>({
  name: "maxPool",
  shape: (inputs, walk) => pooledShape("maxPool", inputs, walk),
  gradient(dy, y, differentiate) {
    const [x, walk] = [y.inputs[0]!, y.attributes];
    const [n, c, h, w] = y.shape as [number, number, number, number];
    const taps = windows(x, walk, y.shape);
    const area = taps.shape[2]!;
    // The first of the equal ones is the one of highest rank: ranks fall from the kernel's area to 1.
    const ranks = constant(
      Array.from({ length: area }, (_, tap) => area - tap),
      [area, 1],
    );
    const ranked = mul(toFloat(equal(taps, reshape(y, [n, c, 1, h * w]))), ranks); // [N, C, area, H'·W']
    const first = toFloat(equal(ranked, max(ranked, [2], true)));
    return differentiate(taps, [x], mul(first, reshape(dy, [n, c, 1, h * w])));
  },
  onnx: (emit, inputs, { attributes }) => emit.node("MaxPool", inputs, onnxAttributes(attributes)),
  reference([x], { shape, attributes: { kernel, stride, padding } }) {
    const out = new Float64Array(sizeOf(shape)).fill(Number.NEGATIVE_INFINITY);
    const [height, width] = x!.shape.slice(2) as [number, number];
    const [h, w] = shape.slice(2) as [number, number];
    for (let at = 0; at < out.length; at++)
      for (let a = 0; a < kernel[0]; a++)
        for (let b = 0; b < kernel[1]; b++) {
          const row = (Math.floor(at / w) % h) * stride[0] + a - padding[0];
          const column = (at % w) * stride[1] + b - padding[1];
          if (row < 0 || row >= height || column < 0 || column >= width) continue;
          out[at] = Math.max(out[at]!, x!.data[(Math.floor(at / w / h) * height + row) * width + column]!);
        }
    return out;
  },
  receptive: pooled,
  examples: WINDOWS,
});

/** Largest of every window of x [N, C, H, W] → [N, C, H', W']; sizes as in averagePool. */
export const maxPool = (x: Node, options: PoolOptions): Node => maxPoolOp([x], windowOf(options));

/** Mean over the picture: [N, C, H, W] → [N, C, 1, 1]. */
export const globalAveragePool = (x: Node): Node => mean(x, [2, 3], true);
