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
 * A statistic that follows a value: statistic ← statistic + momentum · (toward − statistic), once per forward pass. The
 * passes of one loss all see the statistic as it was before that loss; the next loss sees it moved.
 */
export interface RunningAverage {
  readonly parameter: Node;
  readonly toward: Node;
  /** A node of the forward pass that it belongs to. */
  readonly from: Node;
  readonly momentum: number;
  /** The pass itself is normalized by it, as by batch norm: parts of a batch would each go by their own. */
  readonly normalizes?: boolean;
}

export interface StepPlan {
  /**
   * One scalar per network; the key names the network whose weights it moves. Moved in this order, each loss seeing the weights
   * moved before it as plain numbers.
   */
  readonly losses: Readonly<Record<string, Node>>;
  readonly optimizers: Readonly<Record<string, Optimizer>>;
  readonly averages?: readonly RunningAverage[];
  /** Scalars that are reported and move nothing. */
  readonly metrics?: Readonly<Record<string, Node>>;
  /** Networks of whose weights an exponential moving average is kept. */
  readonly ema?: readonly string[];
  /** Scale each network's gradient down to at most this L2 norm; reports the norms. */
  readonly clipNorm?: number;
  /** Report each network's gradient norm (L2, before clipping). */
  readonly watchNorms?: boolean;
  /** Compute what lies inside blocks (`block`) again in the backward pass: less memory for up to one more forward pass. */
  readonly remat?: boolean;
  /**
   * Work through the batch in so many parts of equal size, one after the other: losses and metrics are those of one part, the
   * step is fed with the rows of all, and moves by the mean of the gradients. Equal to a step on the whole batch where losses are
   * means over pictures; statistics are followed by their mean over the parts, and
   * networks with batch norm are refused.
   */
  readonly accumulate?: number;
}

/** What the gradient norm of a network is called among the reported numbers. */
export const normOf = (network: string): string => `norm of ${network}`;
