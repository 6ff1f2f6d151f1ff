import type { Shape } from "../../tensor/tensor.ts";
import { elementCodes } from "../graph/emit.ts";
import { defineOp, type Example, misfit, type Node, type OpFunction } from "../graph/node.ts";
import { elementwise } from "../graph/receptiveField.ts";
import { node } from "./leaf.ts";
import { broadcastShape, mapBroadcast } from "./ndarray.ts";
import { sumTo } from "./reduce.ts";
import { expand, expandOp } from "./shape.ts";

/** A node, or a number that stands for a scalar constant. */
export type Value = Node | number;

type None = Record<never, never>;

const broadcast =
  (name: string) =>
  (inputs: readonly Node[]): Shape => {
    const shape = broadcastShape(inputs.map((input) => input.shape));
    if (!shape) throw misfit(name, inputs, "shapes do not broadcast");
    return shape;
  };

interface Binary {
  readonly name: string;
  readonly onnx: string;
  readonly f: (a: number, b: number) => number;
  readonly gradient?: (dy: Node, a: Node, b: Node, y: Node) => readonly [Node, Node];
  readonly bool?: boolean;
  readonly examples?: readonly Example<None>[];
}

const BROADCASTS: readonly Example<None>[] = [
  { inputs: [[2, 3], [2, 3]], attributes: {} }, // biome-ignore format: one line
  { inputs: [[2, 3, 2, 2], [3, 1, 1]], attributes: {} }, // biome-ignore format: one line
  { inputs: [[1, 3], [4, 1]], attributes: {} }, // biome-ignore format: one line
  { inputs: [[], [3]], attributes: {} },
];

function binary({ name, onnx, f, gradient, bool, examples = BROADCASTS }: Binary): OpFunction<None> {
  return defineOp<None>({
    name,
    shape: broadcast(name),
    dtype: () => (bool ? "bool" : "float32"),
    gradient:
      gradient &&
      ((dy, y) => {
        const [a, b] = y.inputs as readonly [Node, Node];
        const [da, db] = gradient(dy, a, b, y);
        return [sumTo(da, a.shape), sumTo(db, b.shape)];
      }),
    onnx: (emit, inputs) => emit.node(onnx, inputs),
    reference: (inputs, { shape }) => mapBroadcast(inputs, shape, f),
    receptive: elementwise,
    examples,
  });
}

/**
 * What was repeated to fill a shape. Element by element it is all the same whether that is done before or after: after
 * is less work.
 */
const narrow = (x: Node): Node => (x.op === expandOp.row ? x.inputs[0]! : x);

const apply =
  (op: OpFunction<None>) =>
  (a: Value, b: Value): Node => {
    const inputs = [node(a), node(b)];
    return expand(op(inputs.map(narrow), {}), broadcast(op.row.name)(inputs));
  };

const away = (shape: Shape): { shape: Shape; range: readonly [number, number] } => ({ shape, range: [0.5, 2] });

/** a + b, broadcast. */
export const addOp = binary({ name: "add", onnx: "Add", f: (a, b) => a + b, gradient: (dy) => [dy, dy] });
export const add = apply(addOp);
/** a − b, broadcast. */
export const subOp = binary({
  name: "sub",
  onnx: "Sub",
  f: (a, b) => a - b,
  gradient: (dy, _a, b) => [dy, neg(sumTo(dy, b.shape))],
});
export const sub = apply(subOp);
/** a · b, broadcast. */
export const mulOp = binary({
  name: "mul",
  onnx: "Mul",
  f: (a, b) => a * b,
  gradient: (dy, a, b) => [mul(dy, b), mul(dy, a)],
});
export const mul = apply(mulOp);
/** a / b, broadcast. */
export const divOp = binary({
  name: "div",
  onnx: "Div",
  f: (a, b) => a / b,
  gradient: (dy, _a, b, y) => [div(dy, b), neg(div(sumTo(mul(dy, y), b.shape), b))],
  examples: [
    { inputs: [[2, 3], away([2, 3])], attributes: {} },
    { inputs: [[2, 3], away([3])], attributes: {} },
    { inputs: [[1], away([2, 1])], attributes: {} },
  ],
});
export const div = apply(divOp);
/** The larger of a and b; where they are equal the gradient goes to a. */
export const maximumOp = binary({
  name: "maximum",
  onnx: "Max",
  f: Math.max,
  gradient: (dy, a, b) => [where(less(a, b), 0, dy), where(less(a, b), dy, 0)],
});
export const maximum = apply(maximumOp);
/** The smaller of a and b; where they are equal the gradient goes to a. */
export const minimumOp = binary({
  name: "minimum",
  onnx: "Min",
  f: Math.min,
  gradient: (dy, a, b) => [where(greater(a, b), 0, dy), where(greater(a, b), dy, 0)],
});
export const minimum = apply(minimumOp);
/** a ^ b for a > 0. */
export const powOp = binary({
  name: "pow",
  onnx: "Pow",
  f: (a, b) => a ** b,
  gradient: (dy, a, b, y) => [mul(dy, mul(b, pow(a, sub(b, 1)))), mul(dy, mul(y, log(a)))],
  examples: [
    { inputs: [away([2, 3]), [2, 3]], attributes: {} },
    { inputs: [away([2, 3]), { shape: [], values: [3] }], attributes: {} },
  ],
});
export const pow = apply(powOp);
/** a > b as bool, broadcast. No gradient. */
export const greaterOp = binary({ name: "greater", onnx: "Greater", f: (a, b) => Number(a > b), bool: true });
export const greater = apply(greaterOp);
/** a < b as bool, broadcast. No gradient. */
export const lessOp = binary({ name: "less", onnx: "Less", f: (a, b) => Number(a < b), bool: true });
export const less = apply(lessOp);
/** a ≥ b as bool, broadcast. No gradient. */
export const greaterEqualOp = binary({
  name: "greaterEqual",
  onnx: "GreaterOrEqual",
  f: (a, b) => Number(a >= b),
  bool: true,
});
export const greaterEqual = apply(greaterEqualOp);
/** a = b as bool, broadcast. No gradient. */
export const equalOp = binary({
  name: "equal",
  onnx: "Equal",
  f: (a, b) => Number(a === b),
  bool: true,
  examples: [
    {
      inputs: [
        { shape: [4], values: [1, 2, 3, 4] },
        { shape: [4], values: [1, 0, 3, 5] },
      ],
      attributes: {},
    },
  ],
});
export const equal = apply(equalOp);

/** a where the condition (bool) holds, else b; broadcast. */
export const whereOp = defineOp<None>({
  name: "where",
  shape: broadcast("where"),
  gradient: (dy, { inputs: [condition, a, b] }) => [
    undefined,
    sumTo(where(condition!, dy, 0), a!.shape),
    sumTo(where(condition!, 0, dy), b!.shape),
  ],
  onnx: (emit, inputs) => emit.node("Where", inputs),
  reference: (inputs, { shape }) => mapBroadcast(inputs, shape, (condition, a, b) => (condition! ? a! : b!)),
  receptive: elementwise,
  examples: [
    { inputs: [{ shape: [3], values: [1, 0, 1], dtype: "bool" }, [2, 3], [2, 3]], attributes: {} },
    { inputs: [{ shape: [2, 1], values: [1, 0], dtype: "bool" }, [], [3]], attributes: {} },
  ],
});
export const where = (condition: Node, a: Value, b: Value): Node => whereOp([condition, node(a), node(b)], {});

/** A bool node as 0 and 1. No gradient. */
export const toFloatOp = defineOp<None>({
  name: "toFloat",
  shape: ([x]) => x!.shape,
  onnx: (emit, inputs) => emit.node("Cast", inputs, { to: elementCodes.float32 }),
  reference: ([x]) => x!.data.slice(),
  receptive: elementwise,
  examples: [{ inputs: [{ shape: [3], values: [1, 0, 1], dtype: "bool" }], attributes: {} }],
});
export const toFloat = (x: Node): Node => toFloatOp([x], {});

interface Unary {
  readonly name: string;
  readonly onnx: string;
  readonly f: (x: number) => number;
  readonly gradient: (dy: Node, x: Node, y: Node) => Node;
  readonly examples?: readonly Example<None>[];
}

const unary = ({
  name,
  onnx,
  f,
  gradient,
  examples = [{ inputs: [[2, 3]], attributes: {} }],
}: Unary): OpFunction<None> =>
  defineOp<None>({
    name,
    shape: ([x]) => x!.shape,
    gradient: (dy, y) => [gradient(dy, y.inputs[0]!, y)],
    onnx: (emit, inputs) => emit.node(onnx, inputs),
    reference: ([x]) => x!.data.map(f),
    receptive: elementwise,
    examples,
  });

const apply1 =
  (op: OpFunction<None>) =>
  (x: Node): Node =>
    expand(op([narrow(x)], {}), x.shape);
const positive: readonly Example<None>[] = [{ inputs: [away([2, 3])], attributes: {} }];
const kinked: readonly Example<None>[] = [{ inputs: [{ shape: [2, 3], avoid: [0] }], attributes: {} }];

/** −x. */
export const negOp = unary({ name: "neg", onnx: "Neg", f: (x) => -x, gradient: (dy) => neg(dy) });
export const neg = apply1(negOp);
/** e ^ x. */
export const expOp = unary({ name: "exp", onnx: "Exp", f: Math.exp, gradient: (dy, _x, y) => mul(dy, y) });
export const exp = apply1(expOp);
/** Natural logarithm, x > 0. */
export const logOp = unary({
  name: "log",
  onnx: "Log",
  f: Math.log,
  gradient: (dy, x) => div(dy, x),
  examples: positive,
});
export const log = apply1(logOp);
/** Square root, x > 0. */
export const sqrtOp = unary({
  name: "sqrt",
  onnx: "Sqrt",
  f: Math.sqrt,
  gradient: (dy, _x, y) => div(mul(dy, 0.5), y),
  examples: positive,
});
export const sqrt = apply1(sqrtOp);
/** x · x. */
export const squareOp = defineOp<None>({
  name: "square",
  shape: ([x]) => x!.shape,
  gradient: (dy, { inputs: [x] }) => [mul(mul(dy, 2), x!)],
  onnx: (emit, [x]) => emit.node("Mul", [x!, x!]),
  reference: ([x]) => x!.data.map((value) => value * value),
  receptive: elementwise,
  examples: [{ inputs: [[2, 3]], attributes: {} }],
});
export const square = apply1(squareOp);
/** |x|; the gradient at 0 is 0, as PyTorch has it. */
export const absOp = unary({
  name: "abs",
  onnx: "Abs",
  f: Math.abs,
  gradient: (dy, x) => mul(dy, sign(x)),
  examples: kinked,
});
export const abs = apply1(absOp);
/** −1, 0 or 1. No gradient. */
export const signOp = defineOp<None>({
  name: "sign",
  shape: ([x]) => x!.shape,
  onnx: (emit, inputs) => emit.node("Sign", inputs),
  reference: ([x]) => x!.data.map(Math.sign),
  receptive: elementwise,
  examples: kinked,
});
export const sign = apply1(signOp);
/** sin x, radians. */
export const sinOp = unary({ name: "sin", onnx: "Sin", f: Math.sin, gradient: (dy, x) => mul(dy, cos(x)) });
export const sin = apply1(sinOp);
/** cos x, radians. */
export const cosOp = unary({ name: "cos", onnx: "Cos", f: Math.cos, gradient: (dy, x) => neg(mul(dy, sin(x))) });
export const cos = apply1(cosOp);

/** x as it is, but no gradient passes. */
export const stopGradientOp = defineOp<None>({
  name: "stopGradient",
  shape: ([x]) => x!.shape,
  dtype: ([x]) => x!.dtype,
  onnx: (_, [x]) => x!,
  reference: ([x]) => x!.data.slice(),
  receptive: elementwise,
  examples: [{ inputs: [[2, 3]], attributes: {} }],
});
export const stopGradient = apply1(stopGradientOp);
