import { internal } from "../../errors.ts";
import { type NDArray, type Node, topological } from "../graph/node.ts";

/**
 * Computes nodes in float64 by the `reference` of each op: slow, plain, and the oracle for everything else.
 * @param values what the leaves (inputs, parameters) hold
 */
export function evaluate(roots: readonly Node[], values: ReadonlyMap<Node, NDArray>): NDArray[] {
  const known = new Map<Node, NDArray>(values);
  for (const node of topological(roots)) {
    if (known.has(node)) continue;
    const inputs = node.inputs.map((input) => known.get(input)!);
    const data = node.op.reference(inputs, node);
    if (data.length !== node.shape.reduce((a, b) => a * b, 1))
      throw internal(`${node.op.name}: the reference made ${data.length} numbers for [${node.shape.join(", ")}]`);
    known.set(node, { shape: node.shape, data });
  }
  return roots.map((root) => known.get(root)!);
}
