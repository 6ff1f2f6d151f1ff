import { internal, option, userError } from "../../errors.ts";
import { substitute } from "../gradients/gradient.ts";
import { type Node, topological } from "../graph/node.ts";
import { inUpdate } from "../graph/scope.ts";
import { input } from "../ops/leaf.ts";
import type { MicroBatches } from "./accumulate.ts";
import { keyOf, type Parameter } from "./parameters.ts";
import type { Carried } from "./plan.ts";

/**
 * A carried value whose next one is a node over `before`, a leaf that stands for what it has become so far in a turn.
 */
export interface Pass {
  readonly parameter: Parameter;
  readonly before: Node;
  readonly next: Node;
  readonly from: Node;
  readonly isMean: boolean;
}

/** Asks a carried value for what it becomes. */
export function openPass({ parameter: node, next: nextOf, from, isMean = false }: Carried): Pass {
  const parameter = node as Parameter;
  const before = input(`${keyOf(parameter)} so far`, parameter.shape);
  const next = inUpdate(parameter.attributes.network, () => nextOf(before));
  if (next.shape.join() !== parameter.shape.join())
    throw internal(`${keyOf(parameter)} [${parameter.shape.join(", ")}] becomes [${next.shape.join(", ")}]`);
  return { parameter, before, next, from, isMean };
}

/** Takes out the passes that a loss goes through: they move with the weights that the loss sees. */
export function takePassed(waiting: Set<Pass>, loss: Node): Pass[] {
  const seen = new Set(topological([loss]));
  const taken = [...waiting].filter(({ from }) => seen.has(from));
  for (const pass of taken) waiting.delete(pass);
  return taken;
}

/** The carried values of a step and what they have become so far. */
export class CarriedValues {
  readonly #reached = new Map<Parameter, Node>();
  readonly #parts: MicroBatches;

  /** @param first the leaf of each parameter */
  constructor(first: ReadonlyMap<Parameter, Node>, parts: MicroBatches) {
    for (const [parameter, leaf] of first) this.#reached.set(parameter, leaf);
    this.#parts = parts;
  }

  /** What each parameter has become. */
  get reached(): ReadonlyMap<Parameter, Node> {
    return this.#reached;
  }

  /** Moves a value by one pass over each part of the batch. @param found the next value by each part */
  move({ parameter, before, next, isMean }: Pass, found: readonly Node[]): void {
    const reached = this.#reached.get(parameter);
    if (!reached) throw internal(`${keyOf(parameter)} is carried on, but it is frozen or moved by an optimizer`);
    const isSame = !this.#parts.isOfBatch(next);
    if (!isSame && !isMean) this.#refuseParts(parameter);
    const value = isSame ? found[0]! : inUpdate(parameter.attributes.network, () => this.#parts.mean(found));
    const [moved] = substitute([value], new Map([[before, reached]]));
    this.#reached.set(parameter, moved!);
  }

  /** What is a statistic of the whole batch is another one over a part of it. */
  #refuseParts(parameter: Parameter): void {
    if (this.#parts.count === 1) return;
    throw userError(
      option("accumulate"),
      `expected networks without batch norm, got ${keyOf(parameter)}, a statistic of the whole batch`,
      "Leave it out, or take another norm.",
    );
  }
}
