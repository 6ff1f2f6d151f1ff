import type { Shape, Tensor } from "../../tensor/tensor.ts";
import type { Node } from "../graph/node.ts";
import type { Executable, Runtime, Shared, Tensors } from "../runtime/runtime.ts";
import { compileFunction } from "./function.ts";
import { keyOf, type Parameter, parametersOf } from "./parameters.ts";

/** A network ready to run on inputs of any size. */
export interface Predictor {
  run(input: Tensor): Promise<Tensor>;
  /**
   * Replaces the weights named, keyed "network/parameter", for the runs that are asked for after it has ended; runs
   * asked for before it see the weights before. Shared weights are rewritten in place; others are constants, so that
   * every shape is loaded anew.
   */
  write(weights: Tensors): Promise<void>;
  dispose(): Promise<void>;
}

export interface PredictorOptions {
  readonly runtime: Runtime;
  /** Values of the parameters, keyed "network/parameter". */
  readonly weights: Tensors;
  /**
   * Hold the weights once for all input shapes. As constants each shape has up to two copies of them, arranged for the
   * kernels: a convolution is up to 1.5 and a product of few rows up to 2 times as fast. When absent: on cpu, from 64
   * MB on.
   */
  readonly share?: boolean;
}

const LARGE = 64 * 2 ** 20; // bytes of weights

/** The values of these parameters. */
function valuesOf(parameters: readonly Parameter[], weights: Tensors): Tensors {
  const keys = parameters.map(keyOf).filter((key) => weights[key]);
  return Object.fromEntries(keys.map((key) => [key, weights[key]!]));
}

const bytesOf = (values: Tensors): number =>
  Object.values(values).reduce((total, { data }) => total + data.byteLength, 0);

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

/** Sessions by input shape; the one used last comes last. */
class Sessions {
  readonly #open: (shape: Shape) => Promise<Executable>;
  readonly #sessions = new Map<string, Session>();

  constructor(open: (shape: Shape) => Promise<Executable>) {
    this.#open = open;
  }

  /**
   * Runs in the session of the input's shape, which is opened when there is none; then frees those that are too many.
   */
  async run(input: Tensor): Promise<Tensor> {
    const session = this.#take(input.shape);
    const made = session.executable.then((executable) => executable.run({ input }));
    session.idle = Promise.allSettled([session.idle, made]).then(() => {}); // keeps no results
    const [{ output }] = await Promise.all([made, this.#keep(KEPT)]);
    return output!;
  }

  /** Resolves when the runs asked for so far have ended. */
  async idle(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(({ idle }) => idle));
  }

  close(): Promise<void> {
    return this.#keep(0);
  }

  #take(shape: Shape): Session {
    const key = shape.join();
    const session = this.#sessions.get(key) ?? { executable: this.#open(shape), idle: Promise.resolve() };
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    session.executable.catch(() => this.#sessions.get(key) === session && this.#sessions.delete(key));
    return session;
  }

  async #keep(count: number): Promise<void> {
    const old = [...this.#sessions].slice(0, Math.max(0, this.#sessions.size - count));
    for (const [key] of old) this.#sessions.delete(key);
    for (const [, session] of old) await free(session);
  }
}

/**
 * Makes a predictor of a network with one input and one output. Each input shape gets a session of its own, so that
 * every form is chosen by its true sizes; the last few are kept.
 * @param build the network as a graph over an input of the given shape; its input leaf is called "input"
 */
export function compilePredictor(build: (shape: Shape) => Node, options: PredictorOptions): Predictor {
  const { runtime, share } = options;
  let { weights } = options;
  let parameters: readonly Parameter[] = [];
  let sharedWeights: Promise<Shared | undefined> | undefined;
  const shareWeights = async (output: Node): Promise<Shared | undefined> => {
    parameters = parametersOf([output]);
    const values = valuesOf(parameters, weights);
    const isShared = share ?? (runtime.name === "cpu" && bytesOf(values) >= LARGE);
    return isShared ? runtime.share(values) : undefined;
  };
  const sessions = new Sessions(async (shape) => {
    const output = build(shape);
    sharedWeights ??= shareWeights(output);
    return compileFunction({ output }, { runtime, weights, shared: await sharedWeights });
  });
  return {
    run: (input) => sessions.run(input),
    async write(changed) {
      await sessions.idle();
      weights = { ...weights, ...changed };
      const shared = await sharedWeights;
      await (shared ? shared.write(valuesOf(parameters, changed)) : sessions.close());
    },
    async dispose() {
      await sessions.close();
      const shared = await sharedWeights?.catch(() => undefined);
      sharedWeights = undefined;
      await shared?.dispose();
    },
  };
}
