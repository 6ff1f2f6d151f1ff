import { internal } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { substitute } from "../gradients/gradient.ts";
import type { Node } from "../graph/node.ts";
import { input } from "../ops/leaf.ts";
import type { Tensors } from "../runtime/runtime.ts";
import { keyOf, parametersOf } from "./parameters.ts";

/** Nodes over leaves that hold the weights in place of parameters, and what these leaves hold. */
export interface Bound {
  readonly bound: readonly Node[];
  readonly bindings: ReadonlyMap<Node, Tensor>;
  /** The leaves by the keys of their weights. */
  readonly leaves: Readonly<Record<string, Node>>;
}

/**
 * Makes the parameters of a graph constants of it.
 * @param weights keyed "network/parameter"
 * @throws an internal error that names the first parameter without a value
 */
export function bindWeights(roots: readonly Node[], weights: Tensors): Bound {
  const leaves = new Map<Node, Node>(); // a leaf of its own for each: parameters of two networks may share a name
  const bindings = new Map<Node, Tensor>();
  const named: Record<string, Node> = {};
  for (const parameter of parametersOf(roots)) {
    const value = weights[keyOf(parameter)];
    if (!value) throw internal(`no value for ${keyOf(parameter)}`);
    const leaf = input(`weight ${keyOf(parameter)}`, parameter.shape);
    leaves.set(parameter, leaf);
    bindings.set(leaf, value);
    named[keyOf(parameter)] = leaf;
  }
  return { bound: substitute(roots, leaves), bindings, leaves: named };
}
