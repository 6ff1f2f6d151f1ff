import { elementCodes } from "../graph/emit.ts";
import { defineOp, misfit, type Node, topological } from "../graph/node.ts";
import { firstInput } from "../graph/receptiveField.ts";
import { concat, reshape, slice } from "./shape.ts";

/** The first input as it is, but not before the second is there. */
export const afterOp = defineOp({
  name: "after",
  shape: ([x]) => x!.shape,
  dtype: ([x]) => x!.dtype,
  gradient: (dy) => [dy, undefined],
  // Times a 1 that is made from an element of the other value in a way that no optimizer sees through, and that no NaN
  // spoils.
  onnx(emit, [x, other], { dtype }) {
    const first = emit.node("Gather", [
      emit.node("Reshape", [other!, emit.ints([-1])]),
      emit.constant([0], [], "int64"),
    ]);
    const yes = emit.node("Or", [
      emit.node("Cast", [first], { to: elementCodes.bool }),
      emit.constant([1], [], "bool"),
    ]);
    return emit.node("Mul", [x!, emit.node("Cast", [yes], { to: elementCodes[dtype] })]);
  },
  reference: ([x]) => x!.data.slice(),
  receptive: firstInput,
  examples: [
    { inputs: [[2, 3], [4]], attributes: {} },
    { inputs: [[3], []], attributes: {} },
  ],
});
/** x (float32 or int64), computed after `other`: whatever needs x waits for it. Any shapes. */
export const after = (x: Node, other: Node): Node => afterOp([x, other], {});

/** A few numbers that are there when all of some values are, to put other things after. */
export const allOf = (nodes: readonly Node[]): Node =>
  concat(
    nodes.map((node) => slice(reshape(node, [-1]), [0], [1])),
    0,
  );

/**
 * What a block of layers made: the first input as it is. The others are all that goes into the block: `count` values
 * that it can be recomputed from, then whatever else it reads (weights, noise).
 */
export const blockOp = defineOp<{ readonly count: number }>({
  name: "block",
  shape: ([y]) => y!.shape,
  gradient: (dy, { inputs }) => inputs.map((_, at) => (at === 0 ? dy : undefined)),
  onnx: (_, [y]) => y!,
  reference: ([y]) => y!.data.slice(),
  receptive: firstInput,
  examples: [{ inputs: [[2, 3], [2]], attributes: { count: 1 } }],
});

/**
 * Marks a block of layers that a step may recompute in its backward pass in place of keeping what lies inside
 * (`StepPlan.remat`). Nothing else changes. Blocks of few inputs that hold a lot inside are worth it.
 * @param inputs what it is computed from, float32; these are kept
 * @param parts of the batch (axis 0 of all inputs) that are each a block of their own, where pictures do not see each
 * other: of a block that holds more than all others, a part at a time is recomputed
 * @throws UserError for a batch that the parts do not divide
 */
export function block(
  inputs: readonly Node[],
  build: (...inputs: readonly Node[]) => Node,
  { parts = 1 }: { readonly parts?: number } = {},
): Node {
  if (parts > 1) {
    const rows = inputs[0]!.shape[0]! / parts;
    if (!Number.isInteger(rows)) throw misfit("block", inputs, `expected a batch that ${parts} divides`);
    const pieces = Array.from({ length: parts }, (_, at) => {
      const own = inputs.map((input) => slice(input, [at * rows], [(at + 1) * rows]));
      return block(own, build);
    });
    return concat(pieces, 0);
  }
  const y = build(...inputs);
  const inside = new Set<Node>();
  for (const node of topological([y], inputs))
    if (node.inputs.some((input) => inside.has(input) || inputs.includes(input))) inside.add(node);
  if (!inside.has(y)) return y;
  const read = new Set([...inside].flatMap((node) => node.inputs));
  const rest = [...read].filter((node) => !inside.has(node) && !inputs.includes(node));
  return blockOp([y, ...inputs, ...rest], { count: inputs.length });
}
