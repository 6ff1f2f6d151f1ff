import { internal } from "../../errors.ts";
import { gradient, substitute } from "../gradients/gradient.ts";
import { rematGradient } from "../gradients/remat.ts";
import { type Node, topological } from "../graph/node.ts";
import { inUpdate } from "../graph/scope.ts";
import { allOf } from "../ops/after.ts";
import { add, div, minimum, mul, sqrt, square, stopGradient, sub } from "../ops/elementwise.ts";
import { input } from "../ops/leaf.ts";
import { sum } from "../ops/reduce.ts";
import { MicroBatches } from "./accumulate.ts";
import { Flat, keyOf, type Parameter, parametersOf, trainableOf } from "./parameters.ts";
import { normOf, type RunningAverage, type StepPlan } from "./plan.ts";

/** Parameters of a network in a vector, and the leaf that holds their values. */
interface Held {
  readonly flat: Flat;
  readonly leaf: Node;
}

/** One vector of state: what it is called, the parameters in it, its leaf and what that becomes. */
export interface Vector extends Held {
  readonly prefix: string;
  readonly next: Node | undefined;
}

const norm = (vectors: readonly Node[]): Node =>
  sqrt(vectors.map((vector) => sum(square(vector))).reduce((total, part) => add(total, part)));

/** Collects the slots of a step while the losses are worked through in order. */
class Assembly {
  readonly vectors: Vector[] = [];
  readonly outputs: Record<string, Node> = {};
  /** The numbers that steer a step, by name. */
  readonly scalars = new Map<string, Node>();
  /** What each parameter stands for at this moment of the step. */
  readonly now = new Map<Node, Node>();
  /** Running statistics and the values they have reached. */
  readonly statistics = new Map<Parameter, Node>();
  readonly plan: StepPlan;
  readonly parts: MicroBatches;

  constructor(plan: StepPlan, roots: readonly Node[]) {
    this.plan = plan;
    this.parts = new MicroBatches(plan.accumulate ?? 1, roots);
    this.parts.check(plan.averages ?? []);
  }

  vector(prefix: string, flat: Flat): Node {
    return input(`${prefix} of ${flat.key}`, [flat.size]);
  }

  scalar(name: string): Node {
    const leaf = this.scalars.get(name) ?? input(name, []);
    this.scalars.set(name, leaf);
    return leaf;
  }

  resolve(nodes: readonly Node[]): Node[] {
    return substitute(nodes, this.now);
  }
}

/** What is asked of one network's turn. */
interface Turn {
  readonly network: string;
  readonly loss: Node;
  /** Scalars that are only reported. */
  readonly metrics: Readonly<Record<string, Node>>;
  /** What its forward pass lets follow. */
  readonly averages: readonly RunningAverage[];
  readonly held: readonly Held[];
}

/** The gradient of a loss by vector, its sum over the parts of the batch, one after the other. Notes what else they give. */
function slopesOf(assembly: Assembly, { network, loss, metrics, averages, held }: Turn): Node[] {
  const { parts, plan } = assembly;
  const pieces = held.flatMap(({ flat }) => flat.parameters.map((parameter) => assembly.now.get(parameter)!));
  const asked = [...Object.values(metrics), loss, ...averages.map(({ toward }) => toward)];
  const names = [...Object.keys(metrics), network];
  const found: Node[][] = asked.map(() => []);
  let slopes: Node[] | undefined;
  for (let index = 0; index < parts.count; index++) {
    const values = assembly.resolve(parts.part(asked, index, slopes && allOf(slopes)));
    for (const [at, value] of values.entries()) found[at]!.push(value);
    const own = (plan.remat ? rematGradient : gradient)(values[names.length - 1]!, pieces);
    slopes = inUpdate(network, () =>
      held.map(({ flat }, at) => {
        const joined = flat.join(own.splice(0, flat.parameters.length));
        return slopes ? add(slopes[at]!, joined) : joined;
      }),
    );
  }
  const means = found.map((values) => parts.mean(values));
  for (const [at, name] of names.entries()) assembly.outputs[name] = means[at]!;
  for (const [at, average] of averages.entries()) follow(assembly, average, means[names.length + at]!);
  return slopes!;
}

/** Moves a running statistic toward a value. */
function follow({ statistics }: Assembly, average: RunningAverage, toward: Node): void {
  const parameter = average.parameter as Parameter;
  const before = statistics.get(parameter)!;
  const move = (): Node => add(before, mul(sub(toward, before), average.momentum));
  statistics.set(parameter, inUpdate(parameter.attributes.network, move));
}

/** Moves what one vector holds by its gradient, with its moments and its moving average. */
function moveVector(assembly: Assembly, network: string, { flat, leaf }: Held, slope: Node): void {
  const { plan } = assembly;
  const optimizer = plan.optimizers[network]!;
  const slots = optimizer.slots.map((slot) => assembly.vector(slot, flat));
  const names = Object.keys(optimizer.scalars(1, 1));
  const scalars = Object.fromEntries(names.map((name) => [name, assembly.scalar(`${name} of ${network}`)]));
  const moved = optimizer.update(leaf, slope, slots, scalars);
  assembly.vectors.push({ prefix: "weights", flat, leaf, next: moved.weights });
  slots.forEach((slot, index) => {
    assembly.vectors.push({ prefix: optimizer.slots[index]!, flat, leaf: slot, next: moved.slots[index]! });
  });
  if (plan.ema?.includes(network)) {
    const average = assembly.vector("ema", flat);
    const next = add(average, mul(sub(moved.weights, average), sub(1, assembly.scalar(`ema decay of ${network}`))));
    assembly.vectors.push({ prefix: "ema", flat, leaf: average, next });
  }
  // Later losses see the moved weights as numbers: their gradients do not pass through this move.
  for (const [parameter, piece] of flat.pieces(stopGradient(moved.weights))) assembly.now.set(parameter, piece);
}

function moveNetwork(assembly: Assembly, { network, held }: Turn, totals: readonly Node[]): void {
  const { plan, parts } = assembly;
  if (!plan.optimizers[network]) throw internal(`no optimizer for the network "${network}"`);
  let slopes = totals.map((total) => parts.mean([total]));
  if (plan.clipNorm !== undefined || plan.watchNorms) {
    const length = norm(slopes);
    assembly.outputs[normOf(network)] = length;
    if (plan.clipNorm !== undefined) {
      const scale = minimum(1, div(plan.clipNorm, add(length, 1e-6)));
      slopes = slopes.map((slope) => mul(slope, scale));
    }
  }
  for (const [at, vector] of held.entries()) moveVector(assembly, network, vector, slopes[at]!);
}

/** Takes out the averages that a forward pass feeds: they move with the weights that this pass sees. */
function takeFed(waiting: Set<RunningAverage>, roots: readonly Node[]): RunningAverage[] {
  const seen = new Set(topological(roots));
  const fed = [...waiting].filter(({ from }) => seen.has(from));
  for (const average of fed) waiting.delete(average);
  return fed;
}

/** Leaves for the weights of every network, and for the statistics; parameters stand for pieces of them from here on. */
function makeLeaves(assembly: Assembly, roots: readonly Node[]): Map<string, Held[]> {
  const leaves = new Map<string, Held[]>();
  const parameters = parametersOf(roots);
  for (const network of new Set(parameters.map(({ attributes }) => attributes.network))) {
    const held = Flat.of(trainableOf(roots, network)).map((flat) => ({ flat, leaf: assembly.vector("weights", flat) }));
    if (held.length === 0) continue;
    leaves.set(network, held);
    for (const { flat, leaf } of held)
      for (const [parameter, piece] of inUpdate(network, () => flat.pieces(leaf))) assembly.now.set(parameter, piece);
  }
  for (const fixed of parameters.filter(({ attributes }) => !attributes.trainable)) {
    const leaf = input(`statistic ${keyOf(fixed)}`, fixed.shape);
    assembly.now.set(fixed, leaf);
    assembly.statistics.set(fixed, leaf);
  }
  return leaves;
}

/** Averages of passes that no loss goes through. */
function moveLeft(assembly: Assembly, left: Iterable<RunningAverage>): void {
  for (const average of left) {
    const values = Array.from({ length: assembly.parts.count }, (_, index) =>
      assembly.parts.part([average.toward], index),
    );
    follow(assembly, average, assembly.parts.mean(values.flatMap((toward) => assembly.resolve(toward))));
  }
}

/** Works through the losses in order: forward pass, gradients, moves. */
export function assemble(plan: StepPlan): Assembly {
  const averages = new Set(plan.averages ?? []);
  const passes = [...Object.values(plan.losses), ...Object.values(plan.metrics ?? {})];
  const roots = [...passes, ...[...averages].flatMap((a) => [a.toward, a.parameter])];
  const assembly = new Assembly(plan, roots);
  const leaves = makeLeaves(assembly, roots);
  const initial = new Map(assembly.statistics);
  let metrics = plan.metrics ?? {};
  for (const [network, loss] of Object.entries(plan.losses)) {
    const held = leaves.get(network);
    if (!held) throw internal(`the loss of "${network}" depends on no parameter of that network`);
    const turn = { network, loss, metrics, averages: takeFed(averages, [loss]), held };
    const totals = slopesOf(assembly, turn);
    inUpdate(network, () => moveNetwork(assembly, turn, totals));
    metrics = {}; // seen by the weights that the step begins with
    for (const [parameter, moved] of assembly.statistics) assembly.now.set(parameter, stopGradient(moved)); // seen by the next loss
    leaves.delete(network);
  }
  moveLeft(assembly, averages);
  for (const { flat, leaf } of [...leaves.values()].flat())
    assembly.vectors.push({ prefix: "weights", flat, leaf, next: undefined });
  for (const [parameter, leaf] of initial) {
    const next = assembly.statistics.get(parameter);
    assembly.vectors.push({ prefix: "weights", flat: new Flat([parameter]), leaf, next });
  }
  return assembly;
}
