import { internal, userError } from "../../errors.ts";
import { floats, type Shape, type Tensor, tensor } from "../../tensor/tensor.ts";
import type { Node } from "../graph/node.ts";
import type { Executable, Program, RunTime, Runtime, StateSlot, Tensors } from "../runtime/runtime.ts";
import { noiseSource } from "./noise.ts";
import { type Flat, inputsOf, keyOf } from "./parameters.ts";
import type { StepPlan } from "./plan.ts";
import { assemble, type Vector } from "./stepGraph.ts";

export interface StepOptions {
  readonly runtime: Runtime;
  /** First values of every parameter, keyed "network/parameter". */
  readonly weights: Tensors;
  /** Weights of networks that never move, keyed "network/parameter": constants of the graph, in no state. */
  readonly frozen?: Tensors;
  /** Seed of the noise inputs. */
  readonly seed?: number;
  /** Let the runtime time its kernels. */
  readonly profile?: boolean;
}

/** The numbers that steer one step. */
export interface StepNumbers {
  /** Counts from 1. */
  readonly step: number;
  /** One for all turns, or by turn. */
  readonly learningRate: number | Readonly<Record<string, number>>;
  /** Decay of the moving averages, 0…1; one for all networks, or by network. 0 unless given. */
  readonly emaDecay?: number | Readonly<Record<string, number>>;
}

/** What of a step is read back. With nothing, nothing leaves the device. */
export interface StepFetch {
  /** Names of losses, metrics and norms; all unless given. */
  readonly numbers?: readonly string[];
  /** Names of shown values; none unless given. */
  readonly shown?: readonly string[];
}

/** What a step reports, as of before it moved. */
export interface StepReport {
  /** Losses by turn, metrics, and "norm of <network>" when clipping or watching. */
  readonly losses: Record<string, number>;
  readonly shown: Record<string, Tensor>;
}

/**
 * A state that is read a piece at a time, so that a large one is never in memory as a whole beside the runtime's own.
 */
export interface StateReader {
  /** The shape of every tensor of the state by its name; all are float32. */
  readonly shapes: Readonly<Record<string, Shape>>;
  /**
   * Copies of the tensors asked for, of all unless given, in the order in which the runtime holds them. No step may run
   * meanwhile. What no asked tensor lies in stays with the runtime; the rest comes in pieces of about a megabyte, or of
   * one larger tensor.
   */
  entries(isAsked?: (name: string) => boolean): AsyncGenerator<readonly [name: string, value: Tensor], void>;
}

/** A compiled training step with its state. */
export interface Step extends StateReader {
  /** Names of the fed inputs and their shapes. */
  readonly inputs: Readonly<Record<string, Shape>>;
  /**
   * One step.
   * @throws when an input has no tensor, a turn no learning rate, or a name that is to be read back stands for nothing
   */
  run(feeds: Tensors, numbers: StepNumbers, fetch?: StepFetch): Promise<StepReport>;
  /**
   * "weights/<network>/<parameter>", "ema/…", and "<slot>/…" for the optimizer's vectors; frozen weights are not among
   * them.
   * @param prefix "weights", "ema", "weights/<network>": only these leave the runtime; all unless given
   */
  read(prefix?: string): Promise<Record<string, Tensor>>;
  /** Restores what `read` gave; names and shapes must be the same. */
  write(state: Tensors): Promise<void>;
  /**
   * Ends the profile of a step compiled for one and returns it, a time for each step so far; `profileOf` sums it up.
   */
  profile?(): Promise<readonly RunTime[]>;
  dispose(): Promise<void>;
}

const slotName = ({ prefix, flat }: Vector): string => `${prefix}/${flat.key}`;

/** The values of a vector, in the shape of its leaf: what is carried on keeps its own. */
const packed = ({ flat, leaf }: Vector, find: (key: string) => Tensor): Tensor => ({
  ...flat.pack(find),
  shape: leaf.shape,
});

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
      return [slotName(vector), copied ? packed(vector, find) : zeros(vector.flat)];
    }),
  );
}

const zeros = ({ size }: Flat): Tensor => tensor(new Float32Array(size), [size]);

const scalar = (value: number): Tensor => tensor(new Float32Array([value]), []);

/** The scalar inputs of one step: what each optimizer asks for, and the decay of the moving averages. */
function scalarFeeds(plan: StepPlan, { step, learningRate, emaDecay = 0 }: StepNumbers): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const [turn, { optimizer, moves }] of Object.entries(plan.turns)) {
    const rate = typeof learningRate === "number" ? learningRate : learningRate[turn];
    if (rate === undefined) throw internal(`no learning rate for the turn "${turn}"`);
    for (const [name, value] of Object.entries(optimizer.scalars(step, rate)))
      feeds[`${name} of ${turn}`] = scalar(value);
    for (const network of moves)
      if (plan.ema?.includes(network)) {
        const decay = typeof emaDecay === "number" ? emaDecay : (emaDecay[network] ?? 0);
        feeds[`ema decay of ${network}`] = scalar(decay);
      }
  }
  return feeds;
}

/** What a shown value is called among the outputs of the program. */
const shownName = (name: string): string => `shown ${name}`;

/** The state by name, as `Step.read` gives it. */
const nameState = (vectors: readonly Vector[], state: Tensors): Record<string, Tensor> =>
  Object.fromEntries(
    vectors.flatMap((vector) =>
      vector.flat.unpack(state[slotName(vector)]!).map(([key, value]) => [`${vector.prefix}/${key}`, value]),
    ),
  );

/** The names of the tensors in a vector, and their shapes. */
const shapesIn = ({ prefix, flat }: Vector): [string, Shape][] =>
  flat.parameters.map((leaf) => [`${prefix}/${keyOf(leaf)}`, leaf.shape]);

/** The state, vector by vector. */
async function* entriesOf(
  vectors: readonly Vector[],
  executable: Executable,
  isAsked: (name: string) => boolean = () => true,
): AsyncGenerator<readonly [string, Tensor], void> {
  for (const vector of vectors) {
    if (!shapesIn(vector).some(([name]) => isAsked(name))) continue;
    const held = await executable.read([slotName(vector)]);
    for (const [name, value] of Object.entries(nameState([vector], held))) if (isAsked(name)) yield [name, value];
  }
}

/** The opposite of `nameState`. */
function packState(vectors: readonly Vector[], values: Tensors): Record<string, Tensor> {
  const find =
    (prefix: string) =>
    (key: string): Tensor => {
      const value = values[`${prefix}/${key}`];
      if (!value) throw userError(`${prefix}/${key}`, "expected this tensor in the saved state, got none");
      return value;
    };
  return Object.fromEntries(vectors.map((vector) => [slotName(vector), packed(vector, find(vector.prefix))]));
}

type Outputs = Readonly<Record<"outputs" | "shown", Readonly<Record<string, Node>>>>;

/** The outputs of the program that are read back. */
function fetchedNames({ outputs, shown }: Outputs, fetch: StepFetch = {}): string[] {
  const { numbers = Object.keys(outputs), shown: pictures = [] } = fetch;
  const unknown = numbers.find((name) => !(name in outputs)) ?? pictures.find((name) => !(name in shown));
  if (unknown !== undefined) throw internal(`the step has no "${unknown}" to read back`);
  return [...numbers, ...pictures.map(shownName)];
}

/** What a step reports, from outputs of its program. */
function reportOf(values: Tensors, { shown = [] }: StepFetch = {}): StepReport {
  const pictures = shown.map((name) => [name, values[shownName(name)]!] as const);
  const isShown = new Set(shown.map(shownName));
  const numbers = Object.entries(values).filter(([name]) => !isShown.has(name));
  return {
    losses: Object.fromEntries(numbers.map(([name, value]) => [name, floats(value)[0]!])),
    shown: Object.fromEntries(pictures),
  };
}

/** @throws what `compileStep` would say of a plan, before there is a runtime */
export const checkStep = (plan: StepPlan, frozen?: Tensors): void => void assemble(plan, frozen);

/**
 * Puts forward passes, gradients and updates of all networks into one graph and loads it.
 * @throws when a turn moves a network that its loss does not depend on, that is frozen or that has moved; when first
 * values are missing or have another shape; when the runtime cannot profile and shall
 */
export async function compileStep(plan: StepPlan, options: StepOptions): Promise<Step> {
  const { runtime, weights, frozen, seed = 0, profile = false } = options;
  const { vectors, bindings, ...assembly } = assemble(plan, frozen);
  const shown = Object.fromEntries(Object.entries(assembly.shown).map(([name, node]) => [shownName(name), node]));
  const outputs = { ...assembly.outputs, ...shown };
  const scalars = [...assembly.scalars.values()];
  const state: StateSlot[] = vectors.map((one) => ({ name: slotName(one), current: one.leaf, next: one.next }));
  const held = new Set<Node>([...state.map((slot) => slot.current), ...scalars]);
  const leaves = inputsOf([...Object.values(outputs), ...vectors.flatMap(({ next }) => next ?? [])]);
  const fed = leaves.filter((leaf) => !held.has(leaf));
  const noise = fed.filter((leaf) => leaf.attributes.noise);
  const shapes = fed.filter((leaf) => !noise.includes(leaf)).map(({ attributes: { name }, shape }) => [name, shape]);
  const drawn = noiseSource(noise, seed);
  const program: Program = { inputs: [...fed, ...scalars], outputs, bindings, state };
  const executable: Executable = await runtime.load(program, initialState(vectors, weights), { profile });
  if (profile && !executable.profile) throw userError("runtime", `expected cpu for a profile, got ${runtime.name}`);
  return {
    inputs: Object.fromEntries(shapes),
    async run(feeds, numbers, fetch) {
      const all = { ...feeds, ...drawn.take(numbers.step), ...scalarFeeds(plan, numbers) };
      const running = executable.run(all, fetchedNames(assembly, fetch));
      drawn.prepare(numbers.step + 1);
      return reportOf(await running, fetch);
    },
    shapes: Object.fromEntries(vectors.flatMap(shapesIn)),
    entries: (isAsked) => entriesOf(vectors, executable, isAsked),
    async read(prefix) {
      const asked = vectors.filter((one) => prefix === undefined || slotName(one).startsWith(`${prefix}/`));
      return nameState(asked, await executable.read(asked.map(slotName)));
    },
    write: async (values) => executable.write(packState(vectors, values)),
    ...(executable.profile && { profile: executable.profile }),
    dispose: () => executable.dispose(),
  };
}
