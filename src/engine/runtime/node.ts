import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { internal, userError } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Target } from "../onnx/emit.ts";
import { writeModel } from "../onnx/write.ts";
import { stopGradient } from "../ops/elementwise.ts";
import type { InputAttributes } from "../ops/leaf.ts";
import { input } from "../ops/leaf.ts";
import { referenceRuntime } from "./reference.ts";
import type { Executable, Program, Runtime, RuntimeName, StateSlot, Tensors } from "./runtime.ts";

interface Reply {
  readonly call: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Bridges whose thread may be inside native code. */
const open = new Set<Bridge>();
process.on("exit", () => {
  for (const bridge of open) bridge.halt();
});

/** Places in the memory shared with the thread: it is inside the library; it shall begin nothing more. */
const [BUSY, CLOSING] = [0, 1];
/** How long the process waits at its end for a native call to return, in milliseconds. */
const PATIENCE = 30_000;

/**
 * Calls to the worker thread and the promises that wait for them. A thread that is ended inside onnxruntime-node takes the
 * process with it ("terminate called after throwing an instance of 'Napi::Error'"), so that is waited for.
 */
class Bridge {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  readonly #flags = new Int32Array(new SharedArrayBuffer(8));
  readonly #isNative: boolean;
  readonly #idle: Promise<void>;
  #settle = (): void => {};
  /** Replies that will come; the first says that the thread has loaded its library. */
  #due = 1;
  #calls = 0;
  #ended: Error | undefined;

  constructor(workerData: { readonly library: string; readonly provider: string; readonly threads: number }) {
    this.#isNative = workerData.library === "onnxruntime-node";
    this.#flags[BUSY] = 1;
    this.#idle = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#worker = new Worker(new URL("./node.worker.js", import.meta.url), {
      workerData: { ...workerData, flags: this.#flags },
    });
    this.#worker.unref();
    this.#worker.on("message", ({ call, result, error }: Reply) => {
      const promise = this.#waiting.get(call);
      this.#waiting.delete(call);
      this.#due--;
      if (this.#waiting.size === 0 && !this.#ended) this.#worker.unref();
      if (this.#due === 0 && this.#ended) this.#settle();
      if (error === undefined) promise?.resolve(result);
      else promise?.reject(new Error(error));
    });
    this.#worker.on("error", (error) => this.#end(error as Error));
    this.#worker.on("exit", () => {
      open.delete(this);
      this.#end(new Error("the runtime was disposed"));
      this.#settle();
    });
    if (this.#isNative) open.add(this);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }

  call<T>(verb: string, id: number, request: object = {}, given: readonly ArrayBuffer[] = []): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    const call = this.#calls++;
    this.#due++;
    this.#worker.ref();
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(call, { resolve: resolve as (value: unknown) => void, reject });
      this.#worker.postMessage({ call, verb, id, request }, given);
    });
  }

  async end(): Promise<void> {
    Atomics.store(this.#flags, CLOSING, 1);
    this.#end(new Error("the runtime was disposed"));
    if (this.#isNative && this.#due > 0) {
      this.#worker.ref();
      await this.#idle;
    }
    await this.#worker.terminate();
  }

  /** At the end of the process: lets a native call return, and begins no other. */
  halt(): void {
    Atomics.store(this.#flags, CLOSING, 1);
    if (Atomics.wait(this.#flags, BUSY, 1, PATIENCE) === "timed-out") process.kill(process.pid, "SIGKILL");
  }
}

const leafName = (slot: StateSlot): string => (slot.current.attributes as InputAttributes).name;
const nextName = (slot: StateSlot): string => `next ${slot.name}`;

/** A model that copies every slot, for reading state that lives on a device. */
function identityModel(state: readonly StateSlot[]): Uint8Array {
  const leaves = state.map(({ name, current }) => input(name, current.shape, { dtype: current.dtype }));
  return writeModel(
    {
      inputs: leaves,
      outputs: Object.fromEntries(state.map(({ name }, i) => [`copy ${name}`, stopGradient(leaves[i]!)])),
    },
    "file",
  );
}

function bytesOf({ inputs, outputs, bindings, state = [] }: Program, target: Target): Uint8Array {
  const next = Object.fromEntries(state.filter((slot) => slot.next).map((slot) => [nextName(slot), slot.next!]));
  const leaves = [...inputs, ...state.map((slot) => slot.current)];
  return writeModel({ inputs: leaves, outputs: { ...outputs, ...next }, bindings }, target);
}

/** Memory of its own for every kind of array; a Buffer's own `slice` would share it. */
const copyOf = ({ dtype, shape, data }: Tensor): Tensor => ({
  dtype,
  shape,
  data: Uint8Array.prototype.slice.call(data),
});
const bufferOf = ({ data }: Tensor): ArrayBuffer => data.buffer as ArrayBuffer;

async function load(
  bridge: Bridge,
  id: number,
  program: Program,
  initial: Tensors,
  target: Target,
): Promise<Executable> {
  const { inputs, outputs, state = [] } = program;
  await bridge.call("load", id, {
    bytes: bytesOf(program, target),
    slots: state.map((slot) => ({ name: slot.name, input: leafName(slot), output: slot.next && nextName(slot) })),
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
    options: {},
  });
  await bridge.call("write", id, { state: initial }, Object.values(initial).map(bufferOf));
  const names = inputs.map((leaf) => (leaf.attributes as InputAttributes).name);
  return {
    run(feeds, fetch = Object.keys(outputs)) {
      const missing = names.find((name) => !feeds[name]);
      if (missing !== undefined) throw userError(`input ${missing}`, "expected a tensor, got none");
      const copies = Object.fromEntries(names.map((name) => [name, copyOf(feeds[name]!)])); // faster than a message's own
      return bridge.call("run", id, { feeds: copies, fetch }, Object.values(copies).map(bufferOf));
    },
    read: () =>
      bridge.call<Record<string, Tensor>>("read", id, target === "webgpu" ? { identity: identityModel(state) } : {}),
    write: (values) => bridge.call("write", id, { state: values }),
    dispose: () => bridge.call("release", id),
  };
}

export interface RuntimeOptions {
  /** Threads that one operator may use; all cores when absent. */
  readonly threads?: number;
}

/**
 * From 1.29 on onnxruntime-node reports each session to Microsoft and keeps a device's number in the home folder unless this
 * is set before it loads, in the main thread: a worker's environment is a copy that native code does not see. Who set it
 * otherwise is heard.
 */
const keepToOurselves = (): void => {
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
};

const LIBRARIES = { cpu: "onnxruntime-node", webgpu: "onnxruntime-node", wasm: "onnxruntime-web" } as const;

/**
 * Starts a runtime of this process: `cpu` and `webgpu` by onnxruntime-node, `wasm` by onnxruntime-web (what passes there
 * runs in a page), `reference` by plain TypeScript. Sessions live in a worker thread until `dispose`.
 */
export function createRuntime(name: RuntimeName, { threads = availableParallelism() }: RuntimeOptions = {}): Runtime {
  if (name === "reference") return referenceRuntime();
  const library = LIBRARIES[name];
  if (!library) throw internal(`no runtime "${name}"`);
  keepToOurselves();
  const bridge = new Bridge({ provider: name, threads, library });
  let count = 0;
  return {
    name,
    threads,
    load: (program, state = {}) => load(bridge, count++, program, state, name),
    dispose: () => bridge.end(),
  };
}
