import type { Node } from "../graph/node.ts";
import { gradient } from "./gradient.ts";

/**
 * A scalar function at a node, and its gradient there.
 * @param f gives a scalar; all of its ways through `x` count
 * @returns `gradient` has the shape of `x`: zeros where f does not depend on it
 * @throws UserError when f gives more than one number
 */
export function valueAndGradient(f: (x: Node) => Node, x: Node): { readonly value: Node; readonly gradient: Node } {
  const { value, gradients } = valueAndGradients(() => f(x), [x]);
  return { value, gradient: gradients[0]! };
}

/** As `valueAndGradient`, for a function of several nodes: one gradient for each, in their order. */
export function valueAndGradients(
  f: (...xs: Node[]) => Node,
  xs: readonly Node[],
): { readonly value: Node; readonly gradients: readonly Node[] } {
  const value = f(...xs);
  return { value, gradients: gradient(value, xs) };
}
