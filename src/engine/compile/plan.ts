import type { Node } from "../graph/node.ts";

/** How weights move. Everything works on flat vectors of many weights: few, wide passes over memory. */
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
 * What moves at one turn of a step: networks that share a loss, all by its gradient at the same weights. A later turn
 * sees what an earlier one moved, as plain numbers.
 */
export interface Turn {
  /** Networks, each in one turn at most; the loss depends on parameters of every one. */
  readonly moves: readonly string[];
  /** A scalar. */
  readonly loss: Node;
  readonly optimizer: Optimizer;
  /** Scale the gradient of each of these networks down to at most this L2 norm; reports the norms. */
  readonly clipNorm?: number;
}

/**
 * A value handed on to the next step: a running statistic, a singular vector, a pool of earlier pictures. The passes of
 * one turn all see it as it was before that turn; the next turn sees what it has become.
 */
export interface Carried {
  /** A non-trainable parameter. */
  readonly parameter: Node;
  /**
   * What it becomes, of its shape. `before` is what it has become so far in this turn, by passes that come before this
   * one; the parameter itself stands for its value before the turn. Asked once.
   */
  next(before: Node): Node;
  /**
   * A node of the forward pass that it belongs to: it moves in the first turn whose loss this pass is part of, else at
   * the end.
   */
  readonly from: Node;
  /**
   * The next value is a mean over the pictures of the batch: those of the parts of an accumulated batch may be
   * averaged. Any other that depends on the batch refuses accumulation.
   */
  readonly isMean?: boolean;
}

export interface StepPlan {
  /** By the names of their losses among the reported numbers, in the order in which they are taken. */
  readonly turns: Readonly<Record<string, Turn>>;
  readonly carried?: readonly Carried[];
  /** Scalars that are reported and move nothing; at the weights that the step begins with, as `shown`. */
  readonly metrics?: Readonly<Record<string, Node>>;
  /** Values of any shape that can be fetched: pictures. Of a batch in parts, those of the first part. */
  readonly shown?: Readonly<Record<string, Node>>;
  /** Networks of whose weights an exponential moving average is kept. */
  readonly ema?: readonly string[];
  /** Report each network's gradient norm (L2, before clipping). */
  readonly watchNorms?: boolean;
  /**
   * Compute what lies inside blocks (`block`) again in the backward pass: less memory for up to one more forward pass.
   */
  readonly remat?: boolean;
  /**
   * Work through the batch in so many parts of equal size, one after the other: losses and metrics are those of one
   * part, the step is fed with the rows of all, and moves by the mean of the gradients. Equal to a step on the whole
   * batch where losses are means over pictures. Carried values become their mean over the parts where they are means
   * over pictures; networks with batch norm are refused.
   */
  readonly accumulate?: number;
}

/** What the gradient norm of a network is called among the reported numbers. */
export const normOf = (network: string): string => `norm of ${network}`;
