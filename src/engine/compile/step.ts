import { internal, userError } from "../../errors.ts";
import { floats, type Shape, type Tensor, tensor } from "../../tensor/tensor.ts";
import type { Node } from "../graph/node.ts";
import type { Executable, Program, RunTime, Runtime, StateSlot, Tensors } from "../runtime/runtime.ts";
import { noiseSource } from "./noise.ts";
import { type Flat, inputsOf } from "./parameters.ts";
import type { StepPlan } from "./plan.ts";
import { assemble, type Vector } from "./stepGraph.ts";

export interface StepOptions {
  readonly runtime: Runtime;
  /** First values of every parameter, keyed "network/parameter". */
  readonly weights: Tensors;
  /** Seed of the noise inputs. */
  readonly seed?: number;
  /** Let the runtime time its kernels. */
  readonly profile?: boolean;
}

/** The numbers that steer one step. */
export interface StepNumbers {
  /** Counts from 1. */
  readonly step: number;
  /** One for all networks, or by network. */
  readonly learningRate: number | Readonly<Record<string, number>>;
  /** Decay of the moving average, 0…1. */
  readonly emaDecay?: number;
}

/** A compiled training step with its state. */
export interface Step {
  /** Names of the fed inputs and their shapes. */
  readonly inputs: Readonly<Record<string, Shape>>;
  /**
   * One step; returns losses (by network), metrics, and "norm of <network>" when clipping or watching.
   * @param shown those that are read back; all unless given. With none, nothing leaves the device.
   */
  run(feeds: Tensors, numbers: StepNumbers, shown?: readonly string[]): Promise<Record<string, number>>;
  /** "weights/<network>/<parameter>", "ema/…", and "<slot>/…" for the optimizer's vectors. */
  read(): Promise<Record<string, Tensor>>;
  /** Restores what `read` gave; names and shapes must be the same. */
  write(state: Tensors): Promise<void>;
  /** Ends the profile of a step compiled for one and returns it, a time for each step so far; `profileOf` sums it up. */
  profile?(): Promise<readonly RunTime[]>;
  dispose(): Promise<void>;
}

const slotName = ({ prefix, flat }: Vector): string => `${prefix}/${flat.key}`;

/** First values: weights and averages from the caller, everything else zero. */
function initialState(vectors: readonly Vector[], weights: Tensors): Record<string, Tensor> {
  const find = (key: string): Tensor => {
    const value = weights[key];
    if (!value) throw userError(key, "expected first values of this parameter, got none");
    return value;
  };
  return Object.fromEntries(
    vectors.map((vector) => {
      const copied = vector.prefix === "weights" || vector.prefix === "ema";
      return [slotName(vector), copied ? vector.flat.pack(find) : zeros(vector.flat)];
    }),
  );
}

const zeros = ({ size }: Flat): Tensor => tensor(new Float32Array(size), [size]);

const scalar = (value: number): Tensor => tensor(new Float32Array([value]), []);

/** The scalar inputs of one step: what each optimizer asks for, and the decay of the moving averages. */
function scalarFeeds(plan: StepPlan, { step, learningRate, emaDecay = 0 }: StepNumbers): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const network of Object.keys(plan.losses)) {
    const rate = typeof learningRate === "number" ? learningRate : learningRate[network];
    if (rate === undefined) throw internal(`no learning rate for the network "${network}"`);
    const scalars = plan.optimizers[network]!.scalars(step, rate);
    for (const [name, value] of Object.entries(scalars)) feeds[`${name} of ${network}`] = scalar(value);
    if (plan.ema?.includes(network)) feeds[`ema decay of ${network}`] = scalar(emaDecay);
  }
  return feeds;
}

/** The state by name, as `Step.read` gives it. */
const nameState = (vectors: readonly Vector[], held: Tensors): Record<string, Tensor> =>
  Object.fromEntries(
    vectors.flatMap((vector) =>
      vector.flat.unpack(held[slotName(vector)]!).map(([key, value]) => [`${vector.prefix}/${key}`, value]),
    ),
  );

/** The opposite of `nameState`. */
function packState(vectors: readonly Vector[], values: Tensors): Record<string, Tensor> {
  const find =
    (prefix: string) =>
    (key: string): Tensor => {
      const value = values[`${prefix}/${key}`];
      if (!value) throw userError(`${prefix}/${key}`, "expected this tensor in the saved state, got none");
      return value;
    };
  return Object.fromEntries(vectors.map((vector) => [slotName(vector), vector.flat.pack(find(vector.prefix))]));
}

/** Throws what `compileStep` would say of a plan, before there is a runtime. */
export const checkStep = (plan: StepPlan): void => void assemble(plan);

/** Puts forward passes, gradients and updates of all networks into one graph and loads it. */
export async function compileStep(plan: StepPlan, options: StepOptions): Promise<Step> {
  const { runtime, weights, seed = 0, profile = false } = options;
  const { vectors, outputs, ...assembly } = assemble(plan);
  const scalars = [...assembly.scalars.values()];
  const state: StateSlot[] = vectors.map((one) => ({ name: slotName(one), current: one.leaf, next: one.next }));
  const held = new Set<Node>([...state.map((slot) => slot.current), ...scalars]);
  const leaves = inputsOf([...Object.values(outputs), ...vectors.flatMap(({ next }) => next ?? [])]);
  const fed = leaves.filter((leaf) => !held.has(leaf));
  const noise = fed.filter((leaf) => leaf.attributes.noise);
  const shapes = fed.filter((leaf) => !noise.includes(leaf)).map(({ attributes: { name }, shape }) => [name, shape]);
  const drawn = noiseSource(noise, seed);
  const program: Program = { inputs: [...fed, ...scalars], outputs, state };
  const executable: Executable = await runtime.load(program, initialState(vectors, weights), { profile });
  if (profile && !executable.profile) throw userError("runtime", `expected cpu for a profile, got ${runtime.name}`);
  return {
    inputs: Object.fromEntries(shapes),
    async run(feeds, numbers, shown) {
      const all = { ...feeds, ...drawn.take(numbers.step), ...scalarFeeds(plan, numbers) };
      const running = executable.run(all, shown);
      drawn.prepare(numbers.step + 1);
      const made = await running;
      return Object.fromEntries(Object.entries(made).map(([name, value]) => [name, floats(value)[0]!]));
    },
    read: async () => nameState(vectors, await executable.read()),
    write: async (values) => executable.write(packState(vectors, values)),
    ...(executable.profile && { profile: executable.profile }),
    dispose: () => executable.dispose(),
  };
}
