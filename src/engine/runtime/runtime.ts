import type { DType, Tensor } from "../../tensor/tensor.ts";
import type { Node } from "../graph/node.ts";
import type { GraphEnds } from "../onnx/write.ts";
import type { FileType } from "./elements.ts";

/** A value that the runtime keeps between runs: weights, moments, running statistics. */
export interface StateSlot {
  readonly name: string;
  /** The `input` leaf that stands for the value before the run. */
  readonly current: Node;
  /** What it becomes; absent when runs only read it. */
  readonly next?: Node;
}

export type Tensors = Readonly<Record<string, Tensor>>;

/**
 * Values that a runtime holds once for all programs that read them: the weights of one network at several input shapes.
 */
export interface Shared {
  /** Its number at the runtime. */
  readonly id: number;
  /** Replaces the values named, for every program that reads them. */
  write(values: Tensors): Promise<void>;
  /** Frees the values. Programs that read them cannot run any more. */
  dispose(): Promise<void>;
}

/** Shared values that a program reads. */
export interface SharedReads {
  readonly values: Shared;
  /** By the value's name the `input` leaf that stands for it. */
  readonly leaves: Readonly<Record<string, Node>>;
}

/** A graph with its ends and its state: what a runtime can load. */
export interface Program extends GraphEnds {
  readonly state?: readonly StateSlot[];
  readonly shared?: SharedReads | undefined;
}

/** How long one kernel of one run took. */
export interface KernelTime {
  /** Scope of the node that it computes. */
  readonly scope: string;
  /** What the runtime calls the operation. */
  readonly op: string;
  readonly ms: number;
}

/** One run from the runtime's own side; its kernels in the order in which they ran. */
export interface RunTime {
  readonly ms: number;
  readonly kernels: readonly KernelTime[];
}

export interface LoadOptions {
  /** Let the runtime time its kernels, which costs it some microseconds each; `cpu` alone can. */
  readonly profile?: boolean;
}

/** A loaded program. Runs are carried out one after the other, off the caller's thread. */
export interface Executable {
  /** Runs once; every input of the program must be fed. Returns the outputs named in `fetch` (all when absent). */
  run(feeds: Tensors, fetch?: readonly string[]): Promise<Record<string, Tensor>>;
  /** Copies of the state, by slot name; of all slots unless some are named. */
  read(names?: readonly string[]): Promise<Record<string, Tensor>>;
  /** Replaces the state of the slots named. */
  write(state: Tensors): Promise<void>;
  /** Ends the profile and returns it, a time for each run so far; there when the program was loaded for it. */
  profile?(): Promise<readonly RunTime[]>;
  dispose(): Promise<void>;
}

/** Where an ONNX file is, with its weights inside or beside it. */
export type FileSource =
  /** A file; in a page its address. Weights beside it are found by their names. */
  | { readonly path: string }
  /** `external`: what lies beside the file, by the names that it calls it. */
  | { readonly bytes: Uint8Array; readonly external?: Readonly<Record<string, Uint8Array>> };

/** An input or output of a model file. */
export interface ForeignEnd {
  readonly name: string;
  /** What it is here: the file's float16 and float64 are float32, its whole numbers int64. */
  readonly dtype: DType;
  /** What it is in the file. */
  readonly type: FileType;
  /** The name of a side that is free, "" where it has none. Empty also where the file does not tell. */
  readonly shape: readonly (number | string)[];
}

/** An ONNX file as it is, loaded to be run: no graph of ours, so any operator that the runtime has. */
export interface ForeignExecutable {
  readonly inputs: readonly ForeignEnd[];
  readonly outputs: readonly ForeignEnd[];
  /**
   * Runs once. Returns the outputs named in `fetch` (all when absent).
   * @throws UserError when an input is missing, has another element type, or holds a whole number that its type in the
   * file has not
   */
  run(feeds: Tensors, fetch?: readonly string[]): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}

export type RuntimeName = "cpu" | "webgpu" | "wasm" | "reference";

/** Something that executes programs. */
export interface Runtime {
  readonly name: RuntimeName;
  /** Threads that one operator may use; sums depend on it, so runs repeat bit for bit only at the same number. */
  readonly threads: number;
  /** @param state first values by slot name; their memory may be handed over, a buffer of its own for each */
  load(program: Program, state?: Tensors, options?: LoadOptions): Promise<Executable>;
  /**
   * Loads an ONNX file as it is, without a graph of ours: float16, int8, control flow, any operator that ONNX Runtime
   * has, weights beside it and of more than 2 GB too. `importOnnx` makes a graph, which can be trained and exported
   * again.
   * @throws UserError when it is no ONNX file, when what it keeps beside it is missing or elsewhere, and on the
   * reference runtime
   */
  open(source: FileSource): Promise<ForeignExecutable>;
  /**
   * Holds copies of values that programs read by `Program.shared`. On webgpu they go to the device anew at each run.
   */
  share(values: Tensors): Promise<Shared>;
  /** Ends everything that was loaded and frees it. */
  dispose(): Promise<void>;
}
