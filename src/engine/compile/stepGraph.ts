import { internal } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { gradient, substitute } from "../gradients/gradient.ts";
import { rematGradient } from "../gradients/remat.ts";
import type { Node } from "../graph/node.ts";
import { inUpdate } from "../graph/scope.ts";
import { allOf } from "../ops/after.ts";
import { add, div, minimum, mul, sqrt, square, stopGradient, sub } from "../ops/elementwise.ts";
import { input } from "../ops/leaf.ts";
import { sum } from "../ops/reduce.ts";
import type { Tensors } from "../runtime/runtime.ts";
import { MicroBatches } from "./accumulate.ts";
import { CarriedValues, openPass, type Pass, takePassed } from "./carried.ts";
import { checkedShape, Flat, inputsOf, keyOf, type Parameter, parametersOf, trainableOf } from "./parameters.ts";
import { normOf, type StepPlan, type Turn } from "./plan.ts";

/** Parameters of a network in a vector, and the leaf that holds their values. */
interface NetworkVector {
  readonly network: string;
  readonly flat: Flat;
  readonly leaf: Node;
}

/** One vector of state: what it is called, the parameters in it, its leaf and what that becomes. */
export interface Vector {
  readonly prefix: string;
  readonly flat: Flat;
  readonly leaf: Node;
  readonly next: Node | undefined;
}

type Named = Readonly<Record<string, Node>>;

/** What a turn takes from its forward passes, over the whole batch or a part of it. */
interface PartValues {
  readonly loss: Node;
  /** Scalars that are only reported. */
  readonly metrics: Named;
  /** Values of any shape. */
  readonly shown: Named;
  /** The next values of what is carried on, in the order of the passes. */
  readonly carried: readonly Node[];
}

const norm = (vectors: readonly Node[]): Node =>
  sqrt(vectors.map((vector) => sum(square(vector))).reduce((total, part) => add(total, part)));

const vectorLeaf = (prefix: string, flat: Flat): Node => input(`${prefix} of ${flat.key}`, [flat.size]);

/** Collects the slots of a step while its turns are taken in order. */
class Assembly {
  readonly plan: StepPlan;
  readonly parts: MicroBatches;
  readonly vectors: Vector[] = [];
  /** Scalars that are reported. */
  readonly outputs: Record<string, Node> = {};
  readonly shown: Record<string, Node> = {};
  /** The numbers that steer a step, by name. */
  readonly scalars = new Map<string, Node>();
  /** What each parameter stands for at this moment of the step. */
  readonly now = new Map<Node, Node>();
  /** Values of the parameters that never move. */
  readonly bindings = new Map<Node, Tensor>();
  /** Vectors of the networks that have not moved yet. */
  readonly waiting = new Map<string, NetworkVector[]>();

  constructor(plan: StepPlan, parts: MicroBatches) {
    this.plan = plan;
    this.parts = parts;
  }

  scalar(name: string): Node {
    const leaf = this.scalars.get(name) ?? input(name, []);
    this.scalars.set(name, leaf);
    return leaf;
  }

  /** Values over one part of the batch at this moment of the step. */
  part(values: readonly Node[], index: number, before?: Node): Node[] {
    return substitute(this.parts.part(values, index, before), this.now);
  }

  /** The same of all that a turn asks for. */
  valuesOf({ loss, metrics, carried, shown }: PartValues, index: number, before?: Node): PartValues {
    const nodes = [loss, ...carried, ...Object.values(metrics), ...Object.values(shown)];
    const values = new Map(this.part(nodes, index, before).map((value, at) => [nodes[at]!, value]));
    const over = (node: Node): Node => values.get(node)!;
    const each = (named: Named): Named =>
      Object.fromEntries(Object.entries(named).map(([name, node]) => [name, over(node)]));
    return { loss: over(loss), metrics: each(metrics), shown: each(shown), carried: carried.map(over) };
  }
}

/** A turn with all that is taken from its forward passes. */
interface Taken extends Pick<PartValues, "metrics" | "shown"> {
  readonly name: string;
  readonly turn: Turn;
  /** Of the networks that it moves. */
  readonly vectors: readonly NetworkVector[];
  readonly passes: readonly Pass[];
}

/**
 * The gradient of a loss by vector, its sum over the parts of the batch, one after the other. Notes what else they
 * give.
 */
function slopesOf(assembly: Assembly, carried: CarriedValues, { name, turn, vectors, passes, ...also }: Taken): Node[] {
  const { parts, plan } = assembly;
  const parameters = vectors.flatMap(({ flat }) => flat.parameters);
  const pieces = parameters.map((parameter) => assembly.now.get(parameter)!);
  const asked: PartValues = { loss: turn.loss, ...also, carried: passes.map(({ next }) => next) };
  const ofParts: PartValues[] = [];
  let slopes: Node[] | undefined;
  for (let index = 0; index < parts.count; index++) {
    const values = assembly.valuesOf(index === 0 ? asked : { ...asked, shown: {} }, index, slopes && allOf(slopes));
    ofParts.push(values);
    const slopeOf = new Map(
      (plan.remat ? rematGradient : gradient)(values.loss, pieces).map((slope, at) => [parameters[at]!, slope]),
    );
    const before: readonly Node[] | undefined = slopes;
    slopes = vectors.map(({ network, flat }, at) =>
      inUpdate(network, () => {
        const joined = flat.join(flat.parameters.map((parameter) => slopeOf.get(parameter)!));
        return before ? add(before[at]!, joined) : joined;
      }),
    );
  }
  for (const metric of Object.keys(asked.metrics))
    assembly.outputs[metric] = parts.mean(ofParts.map(({ metrics }) => metrics[metric]!));
  assembly.outputs[name] = parts.mean(ofParts.map(({ loss }) => loss));
  Object.assign(assembly.shown, ofParts[0]!.shown);
  for (const [at, pass] of passes.entries())
    carried.move(
      pass,
      ofParts.map((values) => values.carried[at]!),
    );
  return slopes!;
}

/** Moves what one vector holds by its gradient, with its moments and its moving average. */
function moveVector(
  assembly: Assembly,
  { name, turn }: Taken,
  { network, flat, leaf }: NetworkVector,
  slope: Node,
): void {
  const { plan, vectors } = assembly;
  const { optimizer } = turn;
  const slots = optimizer.slots.map((slot) => vectorLeaf(slot, flat));
  const names = Object.keys(optimizer.scalars(1, 1));
  const scalars = Object.fromEntries(names.map((number) => [number, assembly.scalar(`${number} of ${name}`)]));
  const moved = optimizer.update(leaf, slope, slots, scalars);
  vectors.push({ prefix: "weights", flat, leaf, next: moved.weights });
  slots.forEach((slot, index) => {
    vectors.push({ prefix: optimizer.slots[index]!, flat, leaf: slot, next: moved.slots[index]! });
  });
  if (plan.ema?.includes(network)) {
    const average = vectorLeaf("ema", flat);
    const next = add(average, mul(sub(moved.weights, average), sub(1, assembly.scalar(`ema decay of ${network}`))));
    vectors.push({ prefix: "ema", flat, leaf: average, next });
  }
  // Later turns see the moved weights as numbers: their gradients do not pass through this move.
  for (const [parameter, piece] of flat.pieces(stopGradient(moved.weights))) assembly.now.set(parameter, piece);
}

/**
 * Moves one network of a turn.
 * @param totals the gradients of the vectors of the turn, summed over the parts of the batch
 */
function moveNetwork(assembly: Assembly, taken: Taken, network: string, totals: readonly Node[]): void {
  const { plan, parts } = assembly;
  const { clipNorm } = taken.turn;
  const vectors = [...taken.vectors.entries()].filter(([, vector]) => vector.network === network);
  let slopes = vectors.map(([at]) => parts.mean([totals[at]!]));
  if (clipNorm !== undefined || plan.watchNorms) {
    const length = norm(slopes);
    assembly.outputs[normOf(network)] = length;
    if (clipNorm !== undefined) {
      const scale = minimum(1, div(clipNorm, add(length, 1e-6)));
      slopes = slopes.map((slope) => mul(slope, scale));
    }
  }
  for (const [at, [, vector]] of vectors.entries()) moveVector(assembly, taken, vector, slopes[at]!);
}

/** The vectors of the networks of a turn, which move now. */
function takeVectors({ waiting, bindings }: Assembly, name: string, { moves, loss }: Turn): NetworkVector[] {
  const frozen = new Set([...bindings.keys()].map((node) => (node as Parameter).attributes.network));
  return moves.flatMap((network) => {
    if (frozen.has(network)) throw internal(`the turn "${name}" moves the network "${network}", which is frozen`);
    if (trainableOf([loss], network).length === 0)
      throw internal(`the loss of the turn "${name}" depends on no parameter of the network "${network}"`);
    const vectors = waiting.get(network);
    if (!vectors) throw internal(`the turn "${name}" moves the network "${network}", which has moved in this step`);
    waiting.delete(network);
    return vectors;
  });
}

/**
 * Constants for frozen weights, leaves for all others and for what is carried on: parameters stand for them from here
 * on. Returns the leaves of what is carried.
 */
function makeLeaves(assembly: Assembly, roots: readonly Node[], frozen: Tensors): Map<Parameter, Node> {
  const { now, bindings, waiting } = assembly;
  const parameters = parametersOf(roots);
  for (const parameter of parameters) {
    const value = frozen[keyOf(parameter)];
    if (value) bindings.set(parameter, checkedShape(parameter, value));
  }
  for (const network of new Set(parameters.map(({ attributes }) => attributes.network))) {
    const moving = trainableOf(roots, network).filter((parameter) => !bindings.has(parameter));
    if (moving.length === 0) continue;
    const vectors = Flat.of(moving).map((flat) => ({ network, flat, leaf: vectorLeaf("weights", flat) }));
    waiting.set(network, vectors);
    for (const { flat, leaf } of vectors)
      for (const [parameter, piece] of inUpdate(network, () => flat.pieces(leaf))) now.set(parameter, piece);
  }
  const fixed = parameters.filter((parameter) => !parameter.attributes.trainable && !bindings.has(parameter));
  const leaves = new Map(
    fixed.map((parameter) => [parameter, input(`statistic ${keyOf(parameter)}`, parameter.shape)]),
  );
  for (const [parameter, leaf] of leaves) now.set(parameter, leaf);
  return leaves;
}

/** Takes one turn: forward passes, gradients, moves. */
function takeTurn(assembly: Assembly, carried: CarriedValues, taken: Taken): void {
  const totals = slopesOf(assembly, carried, taken);
  for (const network of taken.turn.moves) inUpdate(network, () => moveNetwork(assembly, taken, network, totals));
  // seen by the next turn
  for (const [parameter, moved] of carried.reached) assembly.now.set(parameter, stopGradient(moved));
}

/** Carried values of passes that no loss goes through. */
function movePassedBy(assembly: Assembly, carried: CarriedValues, left: Iterable<Pass>): void {
  const indices = Array.from({ length: assembly.parts.count }, (_, index) => index);
  for (const pass of left) {
    const nexts = indices.flatMap((index) => assembly.part([pass.next], index));
    carried.move(pass, nexts);
  }
}

/** Takes the turns of a plan in order. @param frozen values of parameters that never move, keyed "network/parameter" */
export function assemble(plan: StepPlan, frozen: Tensors = {}): Assembly {
  const { turns, metrics = {}, shown = {} } = plan;
  const passes = new Set((plan.carried ?? []).map(openPass));
  const stand = new Set<Node>([...passes].map(({ before }) => before));
  const losses = Object.values(turns).map(({ loss }) => loss);
  const carriedNodes = [...passes].flatMap(({ next, parameter }) => [next, parameter]);
  const roots = [...losses, ...Object.values(metrics), ...carriedNodes, ...Object.values(shown)];
  const leaves = inputsOf(roots).filter((leaf) => !stand.has(leaf));
  const parts = new MicroBatches(plan.accumulate ?? 1, leaves);
  const assembly = new Assembly(plan, parts);
  const first = makeLeaves(assembly, roots, frozen);
  const carried = new CarriedValues(first, parts);
  for (const [at, [name, turn]] of Object.entries(turns).entries()) {
    const vectors = takeVectors(assembly, name, turn);
    // seen by the weights that the step begins with
    const extra = at === 0 ? { metrics, shown } : { metrics: {}, shown: {} };
    takeTurn(assembly, carried, { name, turn, vectors, passes: takePassed(passes, turn.loss), ...extra });
  }
  movePassedBy(assembly, carried, passes);
  for (const { flat, leaf } of [...assembly.waiting.values()].flat())
    assembly.vectors.push({ prefix: "weights", flat, leaf, next: undefined });
  for (const [parameter, leaf] of first) {
    const next = carried.reached.get(parameter);
    assembly.vectors.push({ prefix: "weights", flat: new Flat([parameter]), leaf, next });
  }
  return assembly;
}
