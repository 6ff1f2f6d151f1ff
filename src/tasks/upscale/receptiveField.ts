import { input, type Node, topological } from "../../engine/index.ts";
import type { Shape } from "../../tensor/tensor.ts";

/** How far a value looks: its radius in input pixels, and the input pixels from one of its pixels to the next. */
interface Reach {
  readonly radius: number;
  readonly step: number;
}

interface Window {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation?: readonly [number, number];
}

/** Ops that treat every pixel alone or move whole channels. */
const pointwise = new Set(
  "add sub mul div maximum minimum pow greater less greaterEqual equal where toFloat neg exp log sqrt abs sign sin cos stopGradient gate relu leakyRelu prelu elu sigmoid tanh silu softplus erf clip concat expand".split(
    " ",
  ),
);

const everything: Reach = { radius: Infinity, step: 1 };

/** Joins what an op's inputs see; constants and parameters see nothing. */
const join = (reaches: readonly Reach[]): Reach => ({
  radius: Math.max(...reaches.map(({ radius }) => radius)),
  step: Math.max(...reaches.map(({ step }) => step)),
});

function reachOf(node: Node, before: Reach): Reach {
  const { name } = node.op;
  if (pointwise.has(name)) return before;
  if (name === "convolution" || name === "averagePool" || name === "maxPool") {
    const { kernel, stride, dilation = [1, 1] } = node.attributes as Window;
    const half = Math.ceil(Math.max(...kernel.map((side, axis) => (side - 1) * dilation[axis]!)) / 2);
    return { radius: before.radius + half * before.step, step: before.step * Math.max(...stride) };
  }
  if (name === "convolutionInput") {
    const { kernel, stride } = node.attributes as Window;
    const step = before.step / Math.min(...stride);
    return { radius: before.radius + Math.ceil(Math.max(...kernel) / 2) * before.step, step };
  }
  if (name === "depthToSpace") {
    const { block } = node.attributes as { readonly block: number };
    return { radius: before.radius, step: before.step / block };
  }
  return everything;
}

/**
 * How many input pixels to each side an output pixel of a network depends on, at most; Infinity where an op looks at the
 * whole picture or is not known to do less. Tiles that overlap by twice as much join without a seam.
 */
export function radiusOf(build: (x: Node) => Node, example: Shape): number {
  const leaf = input("input", example);
  const output = build(leaf);
  const reach = new Map<Node, Reach>([[leaf, { radius: 0, step: 1 }]]);
  for (const node of topological([output])) {
    const before = node.inputs.flatMap((one) => reach.get(one) ?? []);
    if (before.length > 0) reach.set(node, reachOf(node, join(before)));
  }
  return Math.ceil(reach.get(output)?.radius ?? Infinity);
}
