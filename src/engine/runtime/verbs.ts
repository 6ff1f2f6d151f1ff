import type { Shape } from "../../tensor/tensor.ts";

/** A tensor of any element type, by ONNX Runtime's name. */
export interface Value {
  readonly dtype: string;
  readonly shape: Shape;
  readonly data: ArrayBufferView;
}

export type Values = Readonly<Record<string, Value>>;

/** A value that a program keeps between runs, and what its model calls it before and after one. */
export interface Slot {
  readonly name: string;
  readonly input: string;
  /** Absent when runs only read it. */
  readonly output?: string;
}

/** Shared values that a program reads, and what its model calls them. */
export interface SharedSlots {
  /** Their number. */
  readonly id: number;
  readonly slots: readonly Slot[];
}

/** A model and how it is to be loaded. */
export interface LoadCall {
  /** The bytes of an ONNX file. */
  readonly model: Uint8Array;
  readonly slots: readonly Slot[];
  readonly shared?: SharedSlots | undefined;
  /** Session options of ONNX Runtime beside our own. */
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * What the thread that owns the sessions can be asked, each about one program or one set of shared values: what goes
 * there and what comes back.
 */
export interface Verbs {
  load(request: LoadCall): void;
  /** Holds values that programs share, or replaces some of them. */
  share(request: { readonly values: Values }): void;
  /** Frees shared values. */
  unshare(request: object): void;
  /** Replaces state by slot name. */
  write(request: { readonly state: Values }): void;
  /** Loads a model file of others. */
  open(request: OpenCall): { readonly inputs: readonly End[]; readonly outputs: readonly End[] };
  run(request: RunCall): Values;
  /** Copies of the slots named. `identity` is a model that copies them from a device. */
  read(request: { readonly names: readonly string[]; readonly identity?: Uint8Array | undefined }): Values;
  /** Lets the session write its profile down. */
  endProfiling(request: object): void;
  release(request: object): void;
}

/** A model file of others. */
export interface OpenCall {
  /** Its bytes, or where the library finds it. */
  readonly model: Uint8Array | string;
  /** Bytes of the files beside it, by the names that it calls them. */
  readonly external?: Readonly<Record<string, Uint8Array>> | undefined;
}

/** An input or output, as ONNX Runtime tells it. */
export interface End {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** Feeds of one run, and the outputs that come back. */
export interface RunCall {
  readonly feeds: Values;
  readonly fetch: readonly string[];
}

export type Verb = keyof Verbs;
export type Request<V extends Verb> = Parameters<Verbs[V]>[0];
export type Result<V extends Verb> = ReturnType<Verbs[V]>;

/** A call as it is posted. */
export interface Call<V extends Verb = Verb> {
  /** Its own number, which the reply bears. */
  readonly call: number;
  readonly verb: V;
  /** Number of the program or of the shared values. */
  readonly id: number;
  readonly request: Request<V>;
}

/** What a thread says to a call. */
export interface Reply {
  readonly call: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** The way to a thread that runs sessions.ts. */
export interface Channel {
  /**
   * @param id of the program or the shared values
   * @param given buffers that go over as they are and are empty here afterwards
   */
  call<V extends Verb>(verb: V, id: number, request: Request<V>, given?: readonly ArrayBuffer[]): Promise<Result<V>>;
}
