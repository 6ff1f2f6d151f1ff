import { internal } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { substitute } from "../gradients/gradient.ts";
import type { Node } from "../graph/node.ts";
import { input } from "../ops/leaf.ts";
import type { Executable, Runtime, Shared, Tensors } from "../runtime/runtime.ts";
import { inputsOf, keyOf, parametersOf } from "./parameters.ts";

export interface FunctionOptions {
  readonly runtime: Runtime;
  /** Values of the parameters, keyed "network/parameter"; they become constants of the graph. */
  readonly weights?: Tensors;
  /** The same values as the runtime holds them: the graph then reads them there and keeps none of its own. */
  readonly shared?: Shared | undefined;
}

/**
 * Loads a graph as a plain function of its inputs. Outputs may be gradients (of a loss with respect to an input, say).
 * @param outputs what it returns, by name
 */
export function compileFunction(
  outputs: Readonly<Record<string, Node>>,
  { runtime, weights = {}, shared }: FunctionOptions,
): Promise<Executable> {
  const roots = Object.values(outputs);
  const leaves = new Map<Node, Node>(); // a leaf of its own for each: parameters of two networks may share a name
  const bindings = new Map<Node, Tensor>();
  const read: Record<string, Node> = {};
  for (const parameter of parametersOf(roots)) {
    const value = weights[keyOf(parameter)];
    if (!value) throw internal(`compileFunction: no value for ${keyOf(parameter)}`);
    const leaf = input(`weight ${keyOf(parameter)}`, parameter.shape);
    leaves.set(parameter, leaf);
    if (shared) read[keyOf(parameter)] = leaf;
    else bindings.set(leaf, value);
  }
  const bound = substitute(roots, leaves);
  const named = Object.fromEntries(Object.keys(outputs).map((name, at) => [name, bound[at]!]));
  const reads = shared && { values: shared, leaves: read };
  return runtime.load({ inputs: inputsOf(roots), outputs: named, bindings, shared: reads });
}
