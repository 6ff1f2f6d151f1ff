import type { Tensor } from "../../tensor/tensor.ts";
import type { Node } from "../graph/node.ts";
import type { GraphEnds } from "../onnx/write.ts";

/** A value that the runtime keeps between runs: weights, moments, running statistics. */
export interface StateSlot {
  readonly name: string;
  /** The `input` leaf that stands for the value before the run. */
  readonly current: Node;
  /** What it becomes; absent when runs only read it. */
  readonly next?: Node;
}

/** A graph with its ends and its state: what a runtime can load. */
export interface Program extends GraphEnds {
  readonly state?: readonly StateSlot[];
}

export type Tensors = Readonly<Record<string, Tensor>>;

/** A loaded program. Runs are carried out one after the other, off the caller's thread. */
export interface Executable {
  /** Runs once; every input of the program must be fed. Returns the outputs named in `fetch` (all when absent). */
  run(feeds: Tensors, fetch?: readonly string[]): Promise<Record<string, Tensor>>;
  /** Copies of the state, by slot name. */
  read(): Promise<Record<string, Tensor>>;
  /** Replaces the state of the slots named. */
  write(state: Tensors): Promise<void>;
  dispose(): Promise<void>;
}

export type RuntimeName = "cpu" | "webgpu" | "wasm" | "reference";

/** Something that executes programs. */
export interface Runtime {
  readonly name: RuntimeName;
  /** Threads that one operator may use; sums depend on it, so runs repeat bit for bit only at the same number. */
  readonly threads: number;
  /** @param state first values by slot name; their memory may be handed over, a buffer of its own for each */
  load(program: Program, state?: Tensors): Promise<Executable>;
  /** Ends everything that was loaded and frees it. */
  dispose(): Promise<void>;
}
