import { sizeOf } from "../../tensor/tensor.ts";
import type { Emit } from "../graph/emit.ts";
import { defineOp, type Example, misfit, type NDArray, type Node } from "../graph/node.ts";
import { elementwise, still } from "../graph/receptiveField.ts";
import { broadcastOffset, broadcastShape, eachIndex, stridesOf } from "./ndarray.ts";
import { sumTo } from "./reduce.ts";
import { reshape } from "./shape.ts";

/** Which operands are multiplied with their last two axes swapped. */
export interface Transposed {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const isTurned = ({ transposeA, transposeB }: Transposed): readonly [boolean, boolean] => [transposeA, transposeB];

/** Rows and columns of an operand as it is multiplied. */
const sidesOf = ({ shape }: Node | NDArray, turned: boolean): readonly [number, number] => {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return turned ? [columns, rows] : [rows, columns];
};

const EXAMPLES: readonly Example<Transposed>[] = [false, true].flatMap((transposeA) =>
  [false, true].flatMap((transposeB): Example<Transposed>[] => {
    const a = transposeA ? [3, 2] : [2, 3];
    const b = transposeB ? [4, 3] : [3, 4];
    const attributes = { transposeA, transposeB };
    return [
      { inputs: [a, b], attributes },
      { inputs: [[2, ...a], [2, ...b]], attributes }, // biome-ignore format: one line
      { inputs: [[2, 1, ...a], [3, ...b]], attributes }, // biome-ignore format: one line
      { inputs: [[2, ...a], b], attributes },
      { inputs: [a, [2, ...b]], attributes },
      { inputs: [a, b, [4]], attributes },
    ];
  }),
);

const turn = (emit: Emit, name: string, { shape }: Node, turned: boolean): string => {
  if (!turned) return name;
  const last = shape.length - 1;
  const perm = [...shape.keys()].with(last, last - 1).with(last - 1, last);
  return emit.node("Transpose", [name], { perm });
};

/**
 * Matrix product of the last two axes, broadcast over the others; two matrices may have a bias per column as third
 * input.
 */
export const matmulOp = defineOp<Transposed>({
  name: "matmul",
  shape(inputs, attributes) {
    const [a, b] = inputs as readonly [Node, Node];
    if (a.shape.length < 2 || b.shape.length < 2) throw misfit("matmul", inputs, "expected at least two axes each");
    const [turnA, turnB] = isTurned(attributes);
    const [rows, inner] = sidesOf(a, turnA);
    const [other, columns] = sidesOf(b, turnB);
    const batch = broadcastShape([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
    if (inner !== other) throw misfit("matmul", inputs, `${inner} columns meet ${other} rows`);
    if (!batch) throw misfit("matmul", inputs, "the batch axes do not broadcast");
    if (inputs[2] && (inputs[2].shape.join() !== `${columns}` || batch.length > 0))
      throw misfit("matmul", inputs, `expected a bias of ${columns} numbers and two matrices`);
    return [...batch, rows, columns];
  },
  gradient(dy, { inputs, attributes }) {
    const [a, b] = inputs as readonly [Node, Node];
    const [turnA, turnB] = isTurned(attributes);
    const da = turnA ? matmul(b, dy, { transposeA: turnB, transposeB: true }) : matmul(dy, b, { transposeB: !turnB });
    const db = turnB ? matmul(dy, a, { transposeA: true, transposeB: turnA }) : matmul(a, dy, { transposeA: !turnA });
    const parts = [sumTo(da, a.shape), sumTo(db, b.shape)];
    return inputs[2] ? [...parts, sumTo(dy, inputs[2].shape)] : parts;
  },
  onnx(emit, [a, b, bias], { inputs, attributes }) {
    const [turnA, turnB] = isTurned(attributes);
    const [transA, transB] = [Number(turnA), Number(turnB)];
    if (bias) return emit.node("Gemm", [a!, b!, bias], { transA, transB });
    if (!turnA && !turnB) return emit.node("MatMul", [a!, b!]);
    if (inputs.every(({ shape }) => shape.length === 2)) return emit.node("Gemm", [a!, b!], { transA, transB });
    if (emit.target !== "file") return emit.node("FusedMatMul", [a!, b!], { transA, transB }, "com.microsoft");
    return emit.node("MatMul", [turn(emit, a!, inputs[0]!, turnA), turn(emit, b!, inputs[1]!, turnB)]);
  },
  reference([a, b, bias], { shape, attributes }) {
    const out = new Float64Array(sizeOf(shape));
    const [turnA, turnB] = isTurned(attributes);
    const inner = sidesOf(a!, turnA)[1];
    const [batchA, batchB] = [a!.shape.slice(0, -2), b!.shape.slice(0, -2)];
    const [strideA, strideB] = [stridesOf(a!.shape), stridesOf(b!.shape)];
    const at = (flat: number, turned: boolean, columns: number, row: number, column: number): number =>
      flat + (turned ? column * columns + row : row * columns + column);
    eachIndex(shape, (flat, index) => {
      const [row, column] = index.slice(-2) as [number, number];
      const batch = index.slice(0, -2);
      const fromA = broadcastOffset(batch, batchA, strideA);
      const fromB = broadcastOffset(batch, batchB, strideB);
      out[flat] = bias ? bias.data[column]! : 0;
      for (let k = 0; k < inner; k++)
        out[flat]! +=
          a!.data[at(fromA, turnA, a!.shape.at(-1)!, row, k)]! *
          b!.data[at(fromB, turnB, b!.shape.at(-1)!, k, column)]!;
    });
    return out;
  },
  receptive(node, input, axis) {
    const { inputs, shape, attributes } = node;
    const last = inputs[input]!.shape.length - 1;
    if (input === 2 || axis < last - 1) return elementwise(node, input, axis);
    const summed = isTurned(attributes)[input]! === (input === 0) ? last - 1 : last;
    return axis === summed ? "all" : still(shape.length - 2 + input);
  },
  examples: EXAMPLES,
});

export interface MatmulOptions extends Partial<Transposed> {
  /** [P], added to each row; b must be one matrix and a not transposed. */
  readonly bias?: Node;
}

/**
 * Matrix product: a [..., M, K] · b [..., K, P] → [..., M, P], batch axes broadcast. With `transposeA` a is [..., K,
 * M], with
 * `transposeB` b is [..., P, K].
 */
export function matmul(a: Node, b: Node, options: MatmulOptions = {}): Node {
  const { transposeA = false, transposeB = false, bias } = options;
  const rest = bias ? [bias] : [];
  // One matrix for the whole batch: the batch is only more rows, and its gradient one product instead of many.
  if (b.shape.length === 2 && a.shape.length > 2 && !transposeA) {
    const y = matmulOp([reshape(a, [-1, a.shape.at(-1)!]), b, ...rest], { transposeA, transposeB });
    return reshape(y, [...a.shape.slice(0, -1), y.shape[1]!]);
  }
  return matmulOp([a, b, ...rest], { transposeA, transposeB });
}
