import { internal, userError } from "../../errors.ts";
import { random } from "../../tensor/random.ts";
import { floats, type Shape, sizeOf, type Tensor, tensor } from "../../tensor/tensor.ts";
import { gradient, substitute } from "../graph/gradient.ts";
import { type Node, topological } from "../graph/node.ts";
import { add, div, minimum, mul, sqrt, square, sub } from "../ops/elementwise.ts";
import { type InputAttributes, input } from "../ops/leaf.ts";
import { sum } from "../ops/reduce.ts";
import type { Executable, Program, Runtime, StateSlot, Tensors } from "../runtime/runtime.ts";
import { Flat, inputsOf, keyOf, type Parameter, parametersOf } from "./parameters.ts";

/** How weights move. Everything works on one flat vector per network: few, wide passes over memory. */
export interface Optimizer {
  readonly name: string;
  /** Names of the vectors kept beside the weights, all zero at the start: the moments of Adam. */
  readonly slots: readonly string[];
  /** Numbers of one step, computed in float64. `step` counts from 1. */
  scalars(step: number, learningRate: number): Readonly<Record<string, number>>;
  /** The new weights and slots; every node a vector [P]. */
  update(
    weights: Node,
    gradient: Node,
    slots: readonly Node[],
    scalars: Readonly<Record<string, Node>>,
  ): { readonly weights: Node; readonly slots: readonly Node[] };
}

/**
 * A statistic that follows a value: statistic ← statistic + momentum · (toward − statistic), once per forward pass. The
 * passes of one loss all see the statistic as it was before that loss; the next loss sees it moved.
 */
export interface RunningAverage {
  readonly parameter: Node;
  readonly toward: Node;
  /** A node of the forward pass that it belongs to. */
  readonly from: Node;
  readonly momentum: number;
}

export interface StepPlan {
  /** One scalar per network; the key names the network whose weights it moves. Moved in this order, each loss seeing the weights moved before it. */
  readonly losses: Readonly<Record<string, Node>>;
  readonly optimizers: Readonly<Record<string, Optimizer>>;
  readonly averages?: readonly RunningAverage[];
  /** Scalars that are reported and move nothing. */
  readonly metrics?: Readonly<Record<string, Node>>;
  /** Keep an exponential moving average of the weights. */
  readonly ema?: boolean;
  /** Scale each network's gradient down to at most this L2 norm. */
  readonly clipNorm?: number;
}

export interface StepOptions {
  readonly runtime: Runtime;
  /** First values of every parameter, keyed "network/parameter". */
  readonly weights: Tensors;
  /** Seed of the noise inputs. */
  readonly seed?: number;
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
  /** One step; returns losses (by network), metrics, and "norm of <network>" when clipping. */
  run(feeds: Tensors, numbers: StepNumbers): Promise<Record<string, number>>;
  /** "weights/<network>/<parameter>", "ema/…", and "<slot>/…" for the optimizer's vectors. */
  read(): Promise<Record<string, Tensor>>;
  /** Restores what `read` gave; names and shapes must be the same. */
  write(state: Tensors): Promise<void>;
  dispose(): Promise<void>;
}

/** One vector of state: what it is called, the parameters in it, and its leaf. */
interface Vector {
  readonly prefix: string;
  readonly flat: Flat;
  readonly leaf: Node;
  readonly next: Node | undefined;
}

const norm = (vector: Node): Node => sqrt(sum(square(vector)));

/** Collects the slots of a step while the losses are worked through in order. */
class Assembly {
  readonly vectors: Vector[] = [];
  readonly outputs: Record<string, Node> = {};
  readonly scalars: Node[] = [];
  /** What each parameter stands for at this moment of the step. */
  readonly now = new Map<Node, Node>();
  /** Running statistics and the values they have reached. */
  readonly statistics = new Map<Parameter, Node>();

  vector(prefix: string, network: string, flat: Flat): Node {
    return input(`${prefix} of ${network}`, [flat.size]);
  }

  scalar(name: string): Node {
    const leaf = input(name, []);
    this.scalars.push(leaf);
    return leaf;
  }

  resolve(node: Node): Node {
    return substitute([node], this.now)[0]!;
  }
}

function moveNetwork(assembly: Assembly, network: string, loss: Node, flat: Flat, leaf: Node, plan: StepPlan): void {
  const optimizer = plan.optimizers[network];
  if (!optimizer) throw internal(`no optimizer for the network "${network}"`);
  const resolved = assembly.resolve(loss);
  assembly.outputs[network] = resolved;
  const pieces = flat.parameters.map((parameter) => assembly.now.get(parameter)!);
  let slope = flat.join(gradient(resolved, pieces));
  if (plan.clipNorm !== undefined) {
    const length = norm(slope);
    assembly.outputs[`norm of ${network}`] = length;
    slope = mul(slope, minimum(1, div(plan.clipNorm, add(length, 1e-6))));
  }
  const slots = optimizer.slots.map((slot) => assembly.vector(slot, network, flat));
  const names = Object.keys(optimizer.scalars(1, 1));
  const scalars = Object.fromEntries(names.map((name) => [name, assembly.scalar(`${name} of ${network}`)]));
  const moved = optimizer.update(leaf, slope, slots, scalars);
  assembly.vectors.push({ prefix: "weights", flat, leaf, next: moved.weights });
  slots.forEach((slot, index) => {
    assembly.vectors.push({ prefix: optimizer.slots[index]!, flat, leaf: slot, next: moved.slots[index]! });
  });
  if (plan.ema) {
    const average = assembly.vector("ema", network, flat);
    const next = add(average, mul(sub(moved.weights, average), sub(1, assembly.scalar(`ema decay of ${network}`))));
    assembly.vectors.push({ prefix: "ema", flat, leaf: average, next });
  }
  for (const [parameter, piece] of flat.pieces(moved.weights)) assembly.now.set(parameter, piece);
}

/** The averages that a loss's forward pass feeds move now, with the weights that this pass saw. */
function moveAverages(assembly: Assembly, waiting: Set<RunningAverage>, roots: readonly Node[]): void {
  const seen = new Set(topological(roots));
  for (const average of waiting) {
    if (!seen.has(average.from)) continue;
    waiting.delete(average);
    const before = assembly.statistics.get(average.parameter as Parameter)!;
    const toward = assembly.resolve(average.toward);
    assembly.statistics.set(average.parameter as Parameter, add(before, mul(sub(toward, before), average.momentum)));
  }
}

function assemble(plan: StepPlan): Assembly {
  const assembly = new Assembly();
  const losses = Object.values(plan.losses);
  const averages = new Set(plan.averages ?? []);
  const metrics = Object.values(plan.metrics ?? {});
  const parameters = parametersOf([...losses, ...metrics, ...[...averages].flatMap((a) => [a.toward, a.parameter])]);
  const leaves = new Map<string, { flat: Flat; leaf: Node }>();
  for (const network of new Set(parameters.map((p) => p.attributes.network))) {
    const flat = new Flat(parameters.filter((p) => p.attributes.network === network && p.attributes.trainable));
    const leaf = assembly.vector("weights", network, flat);
    leaves.set(network, { flat, leaf });
    for (const [parameter, piece] of flat.pieces(leaf)) assembly.now.set(parameter, piece);
  }
  for (const fixed of parameters.filter((p) => !p.attributes.trainable)) {
    const leaf = input(`statistic ${keyOf(fixed)}`, fixed.shape);
    assembly.now.set(fixed, leaf);
    assembly.statistics.set(fixed, leaf);
  }
  for (const [name, metric] of Object.entries(plan.metrics ?? {})) assembly.outputs[name] = assembly.resolve(metric);
  const initial = new Map(assembly.statistics);
  for (const [network, loss] of Object.entries(plan.losses)) {
    const own = leaves.get(network);
    if (!own) throw internal(`the loss of "${network}" depends on no parameter of that network`);
    moveAverages(assembly, averages, [loss]);
    moveNetwork(assembly, network, loss, own.flat, own.leaf, plan);
    for (const [parameter, moved] of assembly.statistics) assembly.now.set(parameter, moved); // seen by the next loss
    leaves.delete(network);
  }
  moveAverages(
    assembly,
    averages,
    [...averages].map((average) => average.from),
  );
  for (const [, { flat, leaf }] of leaves) assembly.vectors.push({ prefix: "weights", flat, leaf, next: undefined });
  for (const [parameter, leaf] of initial)
    assembly.vectors.push({
      prefix: "weights",
      flat: new Flat([parameter]),
      leaf,
      next: assembly.statistics.get(parameter),
    });
  return assembly;
}

const slotName = ({ prefix, flat }: Vector): string => {
  const [first] = flat.parameters as readonly [Parameter];
  return `${prefix}/${first.attributes.trainable ? first.attributes.network : keyOf(first)}`;
};

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
      return [slotName(vector), vector.flat.pack(copied ? find : (key) => zeros(vector.flat, key))];
    }),
  );
}

const zeros = (flat: Flat, key: string): Tensor => {
  const { shape } = flat.parameters.find((parameter) => keyOf(parameter) === key)!;
  return tensor(new Float32Array(sizeOf(shape)), shape);
};

const scalar = (value: number): Tensor => tensor(new Float32Array([value]), []);

/** The noise inputs of one step, drawn from streams that depend on seed, step and name alone. */
function drawNoise(leaves: readonly Node<InputAttributes>[], seed: number, step: number): Record<string, Tensor> {
  return Object.fromEntries(
    leaves.map(({ attributes: { name, shape, noise } }) => {
      const source = random(seed, "noise", name, step);
      const draw = noise === "normal" ? source.normal : source.uniform;
      return [name, tensor(Float32Array.from({ length: sizeOf(shape) }, draw), shape)];
    }),
  );
}

/** The scalar inputs of one step: what each optimizer asks for, and the decay of the moving averages. */
function scalarFeeds(plan: StepPlan, { step, learningRate, emaDecay = 0 }: StepNumbers): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const network of Object.keys(plan.losses)) {
    const rate = typeof learningRate === "number" ? learningRate : learningRate[network];
    if (rate === undefined) throw internal(`no learning rate for the network "${network}"`);
    const scalars = plan.optimizers[network]!.scalars(step, rate);
    for (const [name, value] of Object.entries(scalars)) feeds[`${name} of ${network}`] = scalar(value);
    if (plan.ema) feeds[`ema decay of ${network}`] = scalar(emaDecay);
  }
  return feeds;
}

/** Puts forward passes, gradients and updates of all networks into one graph and loads it. */
export async function compileStep(plan: StepPlan, { runtime, weights, seed = 0 }: StepOptions): Promise<Step> {
  const { vectors, outputs, scalars } = assemble(plan);
  const state: StateSlot[] = vectors.map((vector) => ({
    name: slotName(vector),
    current: vector.leaf,
    next: vector.next,
  }));
  const held = new Set<Node>([...state.map((slot) => slot.current), ...scalars]);
  const leaves = inputsOf([...Object.values(outputs), ...vectors.flatMap(({ next }) => next ?? [])]);
  const fed = leaves.filter((leaf) => !held.has(leaf));
  const noise = fed.filter((leaf) => leaf.attributes.noise);
  const used = scalars.filter((leaf) => leaves.includes(leaf as Node<InputAttributes>));
  const program: Program = { inputs: [...fed, ...used], outputs, state };
  const executable: Executable = await runtime.load(program, initialState(vectors, weights));
  return {
    inputs: Object.fromEntries(
      fed.filter((leaf) => !noise.includes(leaf)).map((leaf) => [leaf.attributes.name, leaf.shape]),
    ),
    async run(feeds, numbers) {
      const all = { ...feeds, ...drawNoise(noise, seed, numbers.step), ...scalarFeeds(plan, numbers) };
      const made = await executable.run(all);
      return Object.fromEntries(Object.entries(made).map(([name, value]) => [name, floats(value)[0]!]));
    },
    async read() {
      const held = await executable.read();
      return Object.fromEntries(
        vectors.flatMap((vector) =>
          vector.flat.unpack(held[slotName(vector)]!).map(([key, value]) => [`${vector.prefix}/${key}`, value]),
        ),
      );
    },
    async write(values) {
      const find =
        (prefix: string) =>
        (key: string): Tensor => {
          const value = values[`${prefix}/${key}`];
          if (!value) throw userError(`${prefix}/${key}`, "expected this tensor in the saved state, got none");
          return value;
        };
      await executable.write(
        Object.fromEntries(vectors.map((vector) => [slotName(vector), vector.flat.pack(find(vector.prefix))])),
      );
    },
    dispose: () => executable.dispose(),
  };
}
