import { z } from "zod";
import type { Batch, Data } from "../data/kind.ts";
import type { Node, Optimizer, Tensors } from "../engine/index.ts";
import { type Network, network } from "../nn/model.ts";
import type { Schedule } from "../nn/schedules.ts";
import type { Use, UseName } from "../nn/use.ts";

/** The networks of a recipe by name. */
export type Networks = Readonly<Record<string, Network>>;

/** A model file, opened by whoever runs the recipe. */
export interface GivenModel {
  readonly network: Network;
  /** Keyed "network/parameter". */
  readonly weights: Tensors;
  readonly usage: Use;
}

/** The models that options name, by option; undefined where the option was left out. */
export type Given = Readonly<Record<string, GivenModel | undefined>>;

/** How the networks of a turn move. */
export interface Move {
  readonly optimizer: Optimizer;
  /** The learning rate of a step of the stage. */
  readonly rate: Schedule;
  /** Scale each network's gradient down to at most this L2 norm. */
  readonly clipNorm?: number;
}

/** Networks that move together by one loss. */
export interface RecipeTurn extends Move {
  readonly moves: readonly Network[];
  readonly loss: Node;
}

/** A turn: these networks move by this loss, a scalar, all at the same weights. */
export const move = (networks: Network | readonly Network[], loss: Node, how: Move): RecipeTurn => ({
  ...how,
  moves: Array.isArray(networks) ? networks : [networks as Network],
  loss,
});

/** What a step is made of. */
export interface StepParts {
  /** In order; the key names the loss among the reported numbers. A later turn sees what an earlier one moved. */
  readonly turns: Readonly<Record<string, RecipeTurn>>;
  /** Scalars that are reported and move nothing. */
  readonly metrics?: Readonly<Record<string, Node>>;
  /** Pictures [N, C, H, W] in 0…1 that are kept with the samples. */
  readonly shown?: Readonly<Record<string, Node>>;
}

/** A part of a run with a step of its own. Weights go on from stage to stage, the optimizers start anew. */
export interface Stage<N extends Networks = Networks, B extends Batch = Batch> {
  /** What the stage is called in errors and metrics. */
  readonly name: string;
  /** Steps that it takes; the last stage takes what is left. */
  readonly steps?: number;
  /** The step over a batch. @param steps that the stage takes, for schedules */
  step(networks: N, batch: B, steps: number): StepParts;
}

/**
 * One paper's way of training: networks, losses, data and defaults. Everything is a function of the checked options.
 */
export interface RecipeDefinition<
  O extends z.ZodObject = z.ZodObject,
  N extends Networks = Networks,
  B extends Batch = Batch,
> {
  readonly name: string;
  readonly summary: string;
  readonly paper: string;
  /** Each has a default or may be left out; none has the name of an option of the run. */
  readonly options: O;
  /** The kind of batch that it learns from. */
  data(options: z.output<O>): Data<B>;
  /** @param given the models that options name (`modelOption`) */
  networks(options: z.output<O>, given: Given): N;
  /** The networks whose weights are the result, and what each does; the first one is the main one. */
  results(options: z.output<O>): { readonly [K in keyof N]?: Use };
  /** The step of a recipe with one stage. @param steps of the run, for schedules */
  step?(networks: N, batch: B, options: z.output<O>, steps: number): StepParts;
  /** The stages of a recipe with several; absent where `step` is there. */
  stages?(options: z.output<O>): readonly Stage<N, B>[];
  /**
   * Decay of the moving average of the results' weights at a step of the stage; none is kept when absent or undefined.
   */
  emaDecay?(options: z.output<O>, step: number): number | undefined;
}

/** Defines a recipe; the types of options, networks and batch reach every field. */
export const defineRecipe = <O extends z.ZodObject, N extends Networks, B extends Batch>(
  definition: RecipeDefinition<O, N, B>,
): RecipeDefinition<O, N, B> => definition;

/** An option that names a model: a shipped one, a file, or a run's folder. Whoever runs the recipe opens it. */
export const modelOption = (task: UseName): z.ZodString =>
  z.string().min(1).meta({ model: task, placeholder: "model" }) as z.ZodString;

/**
 * A given network whose weights stay as they are: constants of the step, in no checkpoint.
 * @param key its name in the recipe
 */
export function frozen({ network: one, weights }: GivenModel, key: string): Network {
  const own = network(one.model, one.options, key);
  const renamed = Object.entries(weights).map(([name, value]) => [`${key}${name.slice(name.indexOf("/"))}`, value]);
  return Object.assign(own, { frozen: Object.fromEntries(renamed) as Tensors });
}
