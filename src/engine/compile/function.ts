import type { Node } from "../graph/node.ts";
import type { Executable, Runtime, Shared, Tensors } from "../runtime/runtime.ts";
import { bindWeights } from "./constants.ts";
import { inputsOf } from "./parameters.ts";

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
  const { bound, bindings, leaves } = bindWeights(roots, weights);
  const named = Object.fromEntries(Object.keys(outputs).map((name, at) => [name, bound[at]!]));
  const ends = { inputs: inputsOf(roots), outputs: named };
  return runtime.load(shared ? { ...ends, shared: { values: shared, leaves } } : { ...ends, bindings });
}
