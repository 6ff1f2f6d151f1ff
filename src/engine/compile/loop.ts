import { userError } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Node } from "../graph/node.ts";
import { copyOf } from "../runtime/executable.ts";
import type { Runtime, StateSlot, Tensors } from "../runtime/runtime.ts";
import { bindWeights } from "./constants.ts";
import { noiseSource } from "./noise.ts";
import { inputsOf } from "./parameters.ts";

/**
 * Values kept from run to run, by name: the `input` leaf that stands for each, and what a run makes of it (the leaf
 * itself: nothing).
 */
export interface Carry {
  readonly [name: string]: { readonly leaf: Node; readonly next: Node };
}

export interface LoopOptions {
  readonly runtime: Runtime;
  /** Values of the parameters, keyed "network/parameter"; they become constants of the graph. */
  readonly weights?: Tensors;
  /** Values that a run may return, computed from what is carried into it: scalars and small ones. */
  readonly shown?: Readonly<Record<string, Node>>;
  /** First values of all that is carried; copied. */
  readonly start: Tensors;
  /** Seed of the noise inputs. */
  readonly seed?: number;
}

/**
 * A graph that is run again and again on what it made. Runs are carried out in the order in which they are asked for.
 */
export interface Loop {
  /**
   * One run. Runs are numbered from 1; the noise of one depends on seed and number alone.
   * @param feeds the inputs that are neither carried nor noise
   * @param fetch those of `shown` that are returned; all unless given. With none, nothing leaves the device.
   * @throws UserError for an input that is not fed
   */
  run(feeds?: Tensors, fetch?: readonly string[]): Promise<Record<string, Tensor>>;
  /**
   * Copies of what is carried.
   * @param names all unless given
   * @throws UserError for a name that is not carried
   */
  read(names?: readonly string[]): Promise<Record<string, Tensor>>;
  /**
   * Replaces carried values by copies of others; the rest stays.
   * @param options.seed given, runs are numbered from 1 again, with the noise of this seed
   * @throws UserError for a name that is not carried, or another shape or element type
   */
  write(values: Tensors, options?: { readonly seed?: number }): Promise<void>;
  dispose(): Promise<void>;
}

/** Throws where a value is not what the leaf of its name takes. */
function check(carry: Carry, values: Tensors): void {
  for (const [name, { dtype, shape }] of Object.entries(values)) {
    const slot = carry[name];
    if (!slot) throw unknown(carry, name);
    const { leaf } = slot;
    if (dtype !== leaf.dtype || shape.join() !== leaf.shape.join())
      throw userError(
        `loop: ${name}`,
        `expected ${leaf.dtype} [${leaf.shape.join(", ")}], got ${dtype} [${shape.join(", ")}]`,
      );
  }
}

const unknown = (carry: Carry, name: string): Error =>
  userError("loop", `expected a name among ${Object.keys(carry).join(", ")}, got ${name}`);

/** Noise by the number of the run. */
function numberedNoise(leaves: ReturnType<typeof inputsOf>, seed: number) {
  let [source, run] = [noiseSource(leaves, seed), 0];
  return {
    take: (): Tensors => source.take(++run),
    /** Draws that of the next run. */
    prepare: (): void => source.prepare(run + 1),
    restart(other: number): void {
      [source, run] = [noiseSource(leaves, other), 0];
    },
  };
}

/**
 * Loads a graph to be run again and again on what it made: a sampler, or an optimizer of a picture. What is carried
 * stays with the runtime. On a device nothing crosses but feeds, noise, and what is fetched or read.
 * @throws UserError for a first value that is missing or does not fit; an internal error for a parameter without a
 * value
 */
export async function compileLoop(carry: Carry, options: LoopOptions): Promise<Loop> {
  const { runtime, weights = {}, shown = {}, start, seed = 0 } = options;
  const missing = Object.keys(carry).find((name) => !start[name]);
  if (missing !== undefined) throw userError(`loop: ${missing}`, "expected a first value, got none");
  check(carry, start);
  const [names, shownNames] = [Object.keys(carry), Object.keys(shown)];
  const roots = [...Object.values(carry).map(({ next }) => next), ...Object.values(shown)];
  const { bound, bindings } = bindWeights(roots, weights);
  const state: StateSlot[] = names.map((name, at) => ({ name, current: carry[name]!.leaf, next: bound[at]! }));
  const outputs = Object.fromEntries(shownNames.map((name, at) => [name, bound[names.length + at]!]));
  const carried = new Set<Node>(state.map(({ current }) => current));
  const inputs = inputsOf(roots).filter((leaf) => !carried.has(leaf));
  const noise = numberedNoise(
    inputs.filter((leaf) => leaf.attributes.noise),
    seed,
  );
  const initial = Object.fromEntries(names.map((name) => [name, copyOf(start[name]!)]));
  const executable = await runtime.load({ inputs, outputs, bindings, state }, initial);
  return {
    async run(feeds = {}, fetch = shownNames) {
      const running = executable.run({ ...feeds, ...noise.take() }, fetch);
      noise.prepare();
      return running;
    },
    async read(wanted = names) {
      const stranger = wanted.find((name) => !carry[name]);
      if (stranger !== undefined) throw unknown(carry, stranger);
      return executable.read(wanted);
    },
    async write(values, { seed: other } = {}) {
      check(carry, values);
      if (other !== undefined) noise.restart(other);
      await executable.write(values);
    },
    dispose: () => executable.dispose(),
  };
}
