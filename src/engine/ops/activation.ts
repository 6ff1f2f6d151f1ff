import type { Emit } from "../graph/emit.ts";
import { defineOp, type Example, misfit, type Node, type OpFunction } from "../graph/node.ts";
import { elementwise, still } from "../graph/receptiveField.ts";
import { add, equal, exp, greater, minimum, mul, neg, square, sub, toFloat, where } from "./elementwise.ts";
import { sumTo } from "./reduce.ts";
import { reshape } from "./shape.ts";

type None = Record<never, never>;

interface Activation<A> {
  readonly name: string;
  readonly f: (x: number, attributes: A) => number;
  readonly gradient: (dy: Node, y: Node, x: Node, attributes: A) => Node;
  readonly onnx: (emit: Emit, x: string, attributes: A) => string;
  readonly examples: readonly Example<A>[];
}

/** A row whose output element depends on one input element. */
const activation = <A = None>({ name, f, gradient, onnx, examples }: Activation<A>): OpFunction<A> =>
  defineOp<A>({
    name,
    shape: ([x]) => x!.shape,
    gradient: (dy, y) => [gradient(dy, y, y.inputs[0]!, y.attributes)],
    onnx: (emit, [x], { attributes }) => onnx(emit, x!, attributes),
    reference: ([x], { attributes }) => x!.data.map((value) => f(value, attributes)),
    receptive: elementwise,
    examples,
  });

const SMOOTH: readonly Example<None>[] = [{ inputs: [{ shape: [3, 4], range: [-4, 4] }], attributes: {} }];
const kinked = <A>(attributes: A, avoid: readonly number[] = [0]): Example<A>[] => [
  { inputs: [{ shape: [3, 4], avoid }], attributes },
];

/** dy where y > 0, slope · dy elsewhere: the gradient of both rectifiers, from their output. */
export const gateOp = defineOp<{ readonly slope: number }>({
  name: "gate",
  shape: ([dy]) => dy!.shape,
  gradient: (g, { inputs: [, y], attributes: { slope } }) => [gate(g, y!, slope), undefined],
  // y made so steep that clipping it to slope … 1 leaves a step: three vector passes, where Greater and Where take
  // longer.
  onnx(emit, [dy, y], { attributes: { slope } }) {
    const steep = emit.node("Mul", [y!, emit.scalar(1e30)]);
    return emit.node("Mul", [dy!, emit.node("Clip", [steep, emit.scalar(slope), emit.scalar(1)])]);
  },
  reference: ([dy, y], { attributes: { slope } }) => dy!.data.map((v, at) => (y!.data[at]! > 0 ? v : slope * v)),
  receptive: elementwise,
  examples: [0, 0.2].map((slope) => ({ inputs: [[2, 3], { shape: [2, 3], avoid: [0] }], attributes: { slope } })),
});
const gate = (dy: Node, y: Node, slope: number): Node => gateOp([dy, y], { slope });

/** Rectifier: x above zero, 0 below. */
export const reluOp = activation({
  name: "relu",
  f: (x) => Math.max(x, 0),
  gradient: (dy, y) => gate(dy, y, 0),
  onnx: (emit, x) => emit.node("Relu", [x]),
  examples: kinked({}),
});
export const relu = (x: Node): Node => reluOp([x], {});

/** Leaky rectifier: x above zero, slope · x below. */
export const leakyReluOp = activation<{ readonly slope: number }>({
  name: "leakyRelu",
  f: (x, { slope }) => (x > 0 ? x : slope * x),
  gradient: (dy, y, _x, { slope }) => gate(dy, y, slope),
  onnx: (emit, x, { slope }) => emit.node("LeakyRelu", [x], { alpha: { float: slope } }),
  examples: kinked({ slope: 0.2 }),
});
/** @throws UserError for a slope below zero */
export function leakyRelu(x: Node, slope: number): Node {
  if (!(slope >= 0 && slope <= 1)) throw misfit("leakyRelu", [x], `expected a slope from 0 to 1, got ${slope}`);
  return leakyReluOp([x], { slope });
}

/** A vector over the channels (axis 1) in a shape that broadcasts with x. */
const overChannels = (slope: Node, { shape }: Node): Node =>
  reshape(slope, [slope.shape[0]!, ...shape.slice(2).map(() => 1)]);

/** Rectifier with a learned slope for each channel. He et al., https://arxiv.org/abs/1502.01852, equation 1. */
export const preluOp = defineOp<None>({
  name: "prelu",
  shape(inputs) {
    const [x, slope] = inputs as readonly [Node, Node];
    if (slope.shape.length !== 1 || ![1, x.shape[1]].includes(slope.shape[0]))
      throw misfit("prelu", inputs, "expected x [N, C, ...] and one slope for each channel, or a single one");
    return x.shape;
  },
  gradient(dy, { inputs }) {
    const [x, slope] = inputs as readonly [Node, Node];
    const slopes = overChannels(slope, x);
    const below = clip(x, Number.NEGATIVE_INFINITY, 0); // not the forward pass's minimum, which would be kept for it
    const dslope = sumTo(mul(dy, below), slopes.shape);
    return [mul(dy, where(greater(x, 0), 1, slopes)), reshape(dslope, slope.shape)];
  },
  // max(x, 0) + slope · min(x, 0) takes a third of the time of ORT's PRelu on the CPU;
  // one slope that no longer changes is a LeakyRelu, which ORT computes together with the convolution before it.
  onnx(emit, [x, slope], { inputs, shape }) {
    const fixed = emit.known(slope!);
    if (fixed !== undefined) return emit.node("LeakyRelu", [x!], { alpha: { float: fixed } });
    const sides = emit.ints([...inputs[1]!.shape, ...shape.slice(2).map(() => 1)]);
    const slopes = emit.node("Reshape", [slope!, sides]);
    if (emit.target === "file") return emit.node("PRelu", [x!, slopes]);
    const below = emit.node("Mul", [emit.node("Min", [x!, emit.scalar(0)]), slopes]);
    return emit.node("Add", [emit.node("Relu", [x!]), below]);
  },
  reference([x, slope], { shape }) {
    const inner = shape.slice(2).reduce((size, side) => size * side, 1);
    return x!.data.map((v, at) => (v > 0 ? v : v * slope!.data[Math.floor(at / inner) % slope!.data.length]!));
  },
  receptive: (_, input, axis) => (input === 0 ? still(axis) : "all"),
  examples: [
    { inputs: [{ shape: [2, 3, 2, 2], avoid: [0] }, [3]], attributes: {} },
    { inputs: [{ shape: [2, 3], avoid: [0] }, [1]], attributes: {} },
  ],
});
export const prelu = (x: Node, slope: Node): Node => preluOp([x, slope], {});

/** x above zero, alpha · (eˣ − 1) below. Clevert et al., https://arxiv.org/abs/1511.07289. */
export const eluOp = activation<{ readonly alpha: number }>({
  name: "elu",
  f: (x, { alpha }) => (x > 0 ? x : alpha * Math.expm1(x)),
  gradient: (dy, y, x, { alpha }) =>
    mul(dy, alpha === 1 ? add(minimum(y, 0), 1) : where(greater(x, 0), 1, add(y, alpha))),
  onnx: (emit, x, { alpha }) => emit.node("Elu", [x], { alpha: { float: alpha } }),
  examples: [...kinked({ alpha: 1 }), ...kinked({ alpha: 0.5 })],
});
export const elu = (x: Node, alpha = 1): Node => eluOp([x], { alpha });

/** 1 / (1 + e⁻ˣ). */
const logistic = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** 1 / (1 + e⁻ˣ). */
export const sigmoidOp = activation({
  name: "sigmoid",
  f: logistic,
  gradient: (dy, y) => mul(dy, sub(y, square(y))),
  onnx: (emit, x) => emit.node("Sigmoid", [x]),
  examples: SMOOTH,
});
export const sigmoid = (x: Node): Node => sigmoidOp([x], {});

/** Hyperbolic tangent. */
export const tanhOp = activation({
  name: "tanh",
  f: Math.tanh,
  gradient: (dy, y) => mul(dy, sub(1, square(y))),
  onnx: (emit, x) => emit.node("Tanh", [x]),
  examples: SMOOTH,
});
export const tanh = (x: Node): Node => tanhOp([x], {});

/** x · sigmoid x, also called swish. */
export const siluOp = activation({
  name: "silu",
  f: (x) => x * logistic(x),
  gradient(dy, y, x) {
    const s = sigmoid(x);
    return mul(dy, add(s, mul(y, sub(1, s))));
  },
  onnx: (emit, x) => emit.node("Mul", [x, emit.node("Sigmoid", [x])]),
  examples: SMOOTH,
});
export const silu = (x: Node): Node => siluOp([x], {});

/** log(1 + eˣ), without overflow. */
export const softplusOp = activation({
  name: "softplus",
  f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  gradient: (dy, _y, x) => mul(dy, sigmoid(x)),
  // ORT's Softplus takes four times as long as max(x, 0) + log(1 + e^−|x|) on the CPU.
  onnx(emit, x) {
    if (emit.target === "file") return emit.node("Softplus", [x]);
    const small = emit.node("Exp", [emit.node("Neg", [emit.node("Abs", [x])])]);
    return emit.node("Add", [emit.node("Relu", [x]), emit.node("Log", [emit.node("Add", [small, emit.scalar(1)])])]);
  },
  examples: [...SMOOTH, { inputs: [{ shape: [4], values: [-60, -20, 20, 120] }], attributes: {} }],
});
export const softplus = (x: Node): Node => softplusOp([x], {});

/** erf x = 2/√π ∫₀ˣ e^(−t²) dt to about 1e−16: the power series near zero, the continued fraction of erfc far out. */
function errorFunction(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  if (Math.abs(x) < 2.5) {
    let total = x;
    for (let n = 1, term = x; Math.abs(term) > 1e-18; n++) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * total;
  }
  let tail = 0;
  for (let n = 60; n > 0; n--) tail = n / 2 / (Math.abs(x) + tail);
  return Math.sign(x) * (1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (Math.abs(x) + tail));
}

/** The error function. */
export const erfOp = activation({
  name: "erf",
  f: errorFunction,
  gradient: (dy, _y, x) => mul(dy, mul(2 / Math.sqrt(Math.PI), exp(neg(square(x))))),
  onnx: (emit, x) => emit.node("Erf", [x]),
  examples: [{ inputs: [{ shape: [3, 4], range: [-3, 3] }], attributes: {} }],
});

/**
 * x · Φ(x), Φ being the normal distribution function (the exact form). Hendrycks & Gimpel,
 * https://arxiv.org/abs/1606.08415.
 */
export const gelu = (x: Node): Node => mul(mul(x, 0.5), add(erfOp([mul(x, Math.SQRT1_2)], {}), 1));

/** x kept between two bounds; at a bound the gradient passes, as PyTorch has it. */
export const clipOp = activation<{ readonly min: number; readonly max: number }>({
  name: "clip",
  f: (x, { min, max }) => Math.min(Math.max(x, min), max),
  gradient: (dy, y, x) => mul(dy, toFloat(equal(x, y))),
  onnx: (emit, x, { min, max }) => emit.node("Clip", [x, emit.scalar(min), emit.scalar(max)]),
  examples: kinked({ min: -1, max: 0.5 }, [-1, 0.5]),
});
export const clip = (x: Node, min: number, max: number): Node => clipOp([x], { min, max });
