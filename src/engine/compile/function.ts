import type { Shape, Tensor } from "../../tensor/tensor.ts";
import type { Node } from "../graph/node.ts";
import type { Executable, Runtime, Tensors } from "../runtime/runtime.ts";
import { bindWeights } from "./constants.ts";
import { inputsOf } from "./parameters.ts";

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
  const { bound, bindings } = bindWeights(roots, weights);
  const named = Object.fromEntries(Object.keys(outputs).map((name, at) => [name, bound[at]!]));
  return runtime.load({ inputs: inputsOf(roots), outputs: named, bindings });
}

/** A network ready to run on inputs of any size. */
export interface Predictor {
  run(input: Tensor): Promise<Tensor>;
  dispose(): Promise<void>;
}

const KEPT = 4; // sessions for this many input shapes stay loaded

/** A session of one input shape, and when the runs asked of it so far have ended. */
interface Session {
  readonly executable: Promise<Executable>;
  idle: Promise<void>;
}

const free = async ({ executable, idle }: Session): Promise<void> => {
  await idle;
  const loaded = await executable.catch(() => undefined);
  await loaded?.dispose();
};

/**
 * Makes a predictor of a network with one input and one output. Each input shape gets a session of its own, so that every
 * form is chosen by its true sizes; the last few are kept.
 * @param build the network as a graph over an input of the given shape; its input leaf is called "input"
 */
export function compilePredictor(
  build: (shape: Shape) => Node,
  { runtime, weights }: { readonly runtime: Runtime; readonly weights: Tensors },
): Predictor {
  const sessions = new Map<string, Session>(); // the one used last comes last
  const open = async (shape: Shape): Promise<Executable> =>
    compileFunction({ output: build(shape) }, { runtime, weights });
  const take = (shape: Shape): Session => {
    const key = shape.join();
    const session = sessions.get(key) ?? { executable: open(shape), idle: Promise.resolve() };
    sessions.delete(key);
    sessions.set(key, session);
    session.executable.catch(() => sessions.get(key) === session && sessions.delete(key));
    return session;
  };
  const evict = async (): Promise<void> => {
    const old = [...sessions].slice(0, Math.max(0, sessions.size - KEPT));
    for (const [key] of old) sessions.delete(key);
    for (const [, session] of old) await free(session);
  };
  return {
    async run(input) {
      const session = take(input.shape);
      const made = session.executable.then((executable) => executable.run({ input }));
      session.idle = Promise.allSettled([session.idle, made]).then(() => {}); // keeps no results
      const [{ output }] = await Promise.all([made, evict()]);
      return output!;
    },
    async dispose() {
      const all = [...sessions.values()];
      sessions.clear();
      for (const session of all) await free(session);
    },
  };
}
