import { internal } from "../../errors.ts";
import type { Shape, Tensor } from "../../tensor/tensor.ts";
import type { Node } from "../graph/node.ts";
import type { Executable, Runtime, Tensors } from "../runtime/runtime.ts";
import { inputsOf, keyOf, parametersOf } from "./parameters.ts";

/**
 * Loads a graph as a plain function of its inputs. Outputs may be gradients (of a loss with respect to an input, say).
 * @param outputs what it returns, by name
 * @param weights values of the parameters, keyed "network/parameter"; they become constants of the graph
 */
export function compileFunction(
  outputs: Readonly<Record<string, Node>>,
  { runtime, weights = {} }: { readonly runtime: Runtime; readonly weights?: Tensors },
): Promise<Executable> {
  const roots = Object.values(outputs);
  const bindings = new Map<Node, Tensor>(
    parametersOf(roots).map((parameter) => {
      const value = weights[keyOf(parameter)];
      if (!value) throw internal(`compileFunction: no value for ${keyOf(parameter)}`);
      return [parameter, value];
    }),
  );
  return runtime.load({ inputs: inputsOf(roots), outputs, bindings });
}

/** A network ready to run on inputs of any size. */
export interface Predictor {
  run(input: Tensor): Promise<Tensor>;
  dispose(): Promise<void>;
}

const KEPT = 4; // sessions for this many input shapes stay loaded

/**
 * Makes a predictor of a network with one input and one output. Each input shape gets a session of its own, so that every
 * form is chosen by its true sizes; the last few are kept.
 * @param build the network as a graph over an input of the given shape; its input leaf is called "input"
 */
export function compilePredictor(
  build: (shape: Shape) => Node,
  { runtime, weights }: { readonly runtime: Runtime; readonly weights: Tensors },
): Predictor {
  const loaded = new Map<string, Promise<Executable>>();
  const load = async (shape: Shape): Promise<Executable> => {
    const key = shape.join();
    const found = loaded.get(key) ?? compileFunction({ output: build(shape) }, { runtime, weights });
    loaded.delete(key);
    loaded.set(key, found);
    const [oldest] = loaded.keys();
    if (loaded.size > KEPT && oldest !== undefined) {
      const old = loaded.get(oldest)!;
      loaded.delete(oldest);
      await (await old).dispose();
    }
    return found;
  };
  return {
    async run(input) {
      const executable = await load(input.shape);
      return (await executable.run({ input })).output!;
    },
    async dispose() {
      const all = [...loaded.values()];
      loaded.clear();
      for (const executable of all) await (await executable).dispose();
    },
  };
}
