import { userError } from "../../errors.ts";
import { add } from "../ops/elementwise.ts";
import { constant } from "../ops/leaf.ts";
import { zerosLike } from "../ops/shape.ts";
import { type Node, topological } from "./node.ts";
import { inScopeOf } from "./scope.ts";

/** The nodes among `order` (inputs before users) that depend on one of `sources`. */
function reaching(order: readonly Node[], sources: readonly Node[]): Set<Node> {
  const reached = new Set<Node>(sources);
  for (const node of order) if (node.op.gradient && node.inputs.some((input) => reached.has(input))) reached.add(node);
  return reached;
}

/**
 * Reverse-mode gradients as graph nodes, so that they can be differentiated again.
 * @param of the value to differentiate; a scalar unless `upstream` gives the gradient of its elements (same shape)
 * @param wrt the nodes to differentiate with respect to, usually parameters
 * @returns one node for each of `wrt`, of its shape; zeros where `of` does not depend on it
 */
export function gradient(of: Node, wrt: readonly Node[], upstream?: Node): Node[] {
  if (!upstream && of.shape.some((side) => side !== 1))
    throw userError(
      "gradient",
      `expected a scalar to differentiate, got [${of.shape.join(", ")}]`,
      "Take its mean or sum, or give the upstream gradient.",
    );
  const order = topological([of]);
  const reached = reaching(order, wrt);
  const total = new Map<Node, Node>([[of, upstream ?? constant([1], of.shape)]]);
  for (const node of order.reverse()) {
    const dy = total.get(node);
    if (!dy || !reached.has(node) || !node.op.gradient) continue;
    const parts = inScopeOf(node, () => node.op.gradient!(dy, node));
    node.inputs.forEach((input, index) => {
      const part = parts[index];
      if (!part || !reached.has(input)) return;
      const before = total.get(input);
      total.set(input, before ? inScopeOf(node, () => add(before, part)) : part);
    });
  }
  return wrt.map((node) => total.get(node) ?? zerosLike(node));
}

/** Rebuilds `roots` with some nodes replaced; what does not depend on a replaced node is shared with the original. */
export function substitute(roots: readonly Node[], replacement: ReadonlyMap<Node, Node>): Node[] {
  const made = new Map<Node, Node>(replacement);
  for (const node of topological(roots)) {
    if (made.has(node)) continue;
    const inputs = node.inputs.map((input) => made.get(input) ?? input);
    made.set(node, inputs.every((input, index) => input === node.inputs[index]) ? node : { ...node, inputs });
  }
  return roots.map((root) => made.get(root)!);
}
