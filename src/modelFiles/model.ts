import type { Node, Tensors } from "../engine/index.ts";
import { givenLeaves, type ModelDefinition, type Network } from "../nn/model.ts";
import type { Use, UseName, UseOf } from "../nn/use.ts";
import type { Shape } from "../tensor/tensor.ts";

/** Facts about a model's training, kept in its file as texts. */
export type Card = Readonly<Record<string, string>>;

/** A network with its weights, ready to be compiled. */
export interface LoadedModel<U extends Use = Use> {
  /** Short name for tables and file names: "srcnn-x2". */
  readonly name: string;
  /** Where it came from. */
  readonly path: string;
  readonly usage: U;
  /** A shape that it takes, with a batch of one. */
  readonly example: Shape;
  /** Further inputs, where it has some, become leaves of the graph. */
  build(x: Node): Node;
  /** Keyed "network/parameter". */
  readonly weights: Tensors;
  readonly card: Card;
  /** What parts of a picture must overlap by where the network looks at all of it; absent: they do not do. */
  readonly tiling?: ModelDefinition["tiling"];
  /** Absent for networks that are known as a graph only. */
  readonly network?: Network;
}

/** A network with weights as a model: what training shows samples of. @param weights keyed "network/parameter" */
export const modelOf = <U extends Use>(made: Network, weights: Tensors, usage: U, name: string): LoadedModel<U> => ({
  name,
  path: name,
  usage,
  example: made.model.input(made.options),
  build: (x) => made(x, { given: givenLeaves(made.model, made.options, x.shape[0]) }),
  weights,
  card: {},
  tiling: made.model.tiling,
  network: made,
});

/** Whether a model is there for a task. */
export const isFor = <T extends UseName>(model: LoadedModel, task: T): model is LoadedModel<UseOf<T>> =>
  model.usage.task === task;
