import { userError } from "../../errors.ts";
import { type Node, topological } from "../graph/node.ts";
import { inScopeOf } from "../graph/scope.ts";
import { add } from "../ops/elementwise.ts";
import { constant } from "../ops/leaf.ts";
import { zerosLike } from "../ops/shape.ts";

/** The nodes among `order` (inputs before users) that depend on one of `sources`. */
function reaching(order: readonly Node[], sources: readonly Node[]): Set<Node> {
  const reached = new Set<Node>(sources);
  for (const node of order) if (node.op.gradient && node.inputs.some((input) => reached.has(input))) reached.add(node);
  return reached;
}

/** Gives the gradients of a node's inputs, from that of the node. */
export type GradientRule = (dy: Node, node: Node) => readonly (Node | undefined)[];

/** The rule in the op's row. */
export const ownRule: GradientRule = (dy, node) => node.op.gradient!(dy, node, gradient);

/** What a walk from a value back to what it is differentiated with respect to goes by. */
export interface Walk {
  readonly wrt: readonly Node[];
  /** The gradient of the value's elements, of its shape. */
  readonly upstream: Node;
  readonly rule: GradientRule;
}

/**
 * Walks back over nodes, inputs before users, of which the last is the value to differentiate; undefined for what it
 * does not depend on.
 */
export function walkBack(order: readonly Node[], { wrt, upstream, rule }: Walk): (Node | undefined)[] {
  const reached = reaching(order, wrt);
  const total = new Map<Node, Node>([[order.at(-1)!, upstream]]);
  for (const node of order.toReversed()) {
    const dy = total.get(node);
    if (!dy || !reached.has(node) || !node.op.gradient) continue;
    const parts = inScopeOf(node, () => rule(dy, node));
    node.inputs.forEach((input, index) => {
      const part = parts[index];
      if (!part || !reached.has(input)) return;
      const before = total.get(input);
      total.set(input, before ? inScopeOf(node, () => add(before, part)) : part);
    });
  }
  return wrt.map((node) => total.get(node));
}

/**
 * Reverse-mode gradients as graph nodes, so that they can be differentiated again.
 * @param of the value to differentiate; a scalar unless `upstream` gives the gradient of its elements (same shape)
 * @param wrt the nodes to differentiate with respect to, usually parameters
 * @returns one node for each of `wrt`, of its shape; zeros where `of` does not depend on it
 * @throws UserError for a value that is no scalar, where no upstream gradient is given
 */
export function gradient(of: Node, wrt: readonly Node[], upstream?: Node): Node[] {
  if (!upstream && of.shape.some((side) => side !== 1))
    throw userError(
      "gradient",
      `expected a scalar to differentiate, got [${of.shape.join(", ")}]`,
      "Take its mean or sum, or give the upstream gradient.",
    );
  const found = walkBack(topological([of]), { wrt, upstream: upstream ?? constant([1], of.shape), rule: ownRule });
  return found.map((node, at) => node ?? zerosLike(wrt[at]!));
}

/**
 * Rebuilds `roots` with some nodes replaced; what does not depend on a replaced node is shared with the original.
 * @param scopeOf where a copy belongs; where its original does unless given
 */
export function substitute(
  roots: readonly Node[],
  replacement: ReadonlyMap<Node, Node>,
  scopeOf = ({ scope }: Node): string => scope,
): Node[] {
  const made = new Map<Node, Node>(replacement);
  for (const node of topological(roots, replacement.keys())) {
    const inputs = node.inputs.map((input) => made.get(input) ?? input);
    const isSame = inputs.every((input, index) => input === node.inputs[index]);
    made.set(node, isSame ? node : { ...node, inputs, scope: scopeOf(node) });
  }
  return roots.map((root) => made.get(root)!);
}
