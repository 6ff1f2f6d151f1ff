import type { Node, StepNumbers, StepPlan } from "../../engine/index.ts";
import type { Network } from "../../nn/model.ts";

/** A training step, ready to be compiled. */
export interface StepWork {
  readonly networks: readonly Network[];
  readonly plan: StepPlan;
  numbers(step: number): StepNumbers;
}

/**
 * What benches time: a training step and, where it has one of its own, a forward pass. bench/peer.py has the same in
 * PyTorch.
 */
export interface Workload {
  readonly name: string;
  readonly summary: string;
  step(): StepWork;
  /** A network used at the batch of the step. */
  forward?(): { readonly network: Network; readonly output: Node };
}
