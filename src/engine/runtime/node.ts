import {
  closeSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { internal, userError } from "../../errors.ts";
import { externalFiles } from "../onnx/externalFiles.ts";
import { loadProgram, shareValues, type Trace } from "./executable.ts";
import { openCallOf, openForeign } from "./foreign.ts";
import type { WorkerStart } from "./node.worker.ts";
import { Calls } from "./pendingCalls.ts";
import { referenceRuntime } from "./reference.ts";
import type { Runtime, RuntimeName } from "./runtime.ts";
import { noGpu, withWords } from "./runtimeErrors.ts";
import type { Channel, OpenCall, Reply, Request, Result, Verb } from "./verbs.ts";

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
 * Calls to the worker thread and the promises that wait for them. A thread that is ended inside onnxruntime-node takes
 * the process with it ("terminate called after throwing an instance of 'Napi::Error'"), so that is waited for.
 */
class Bridge implements Channel {
  readonly #worker: Worker;
  readonly #calls = new Calls();
  readonly #flags = new Int32Array(new SharedArrayBuffer(8));
  readonly #isNative: boolean;
  readonly #idle: Promise<void>;
  #settle = (): void => {};
  /** Replies that will come; the first says that the thread has loaded its library. */
  #due = 1;

  constructor(start: Omit<WorkerStart, "flags">) {
    this.#isNative = start.library === "onnxruntime-node";
    this.#flags[BUSY] = 1;
    this.#idle = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const workerData: WorkerStart = { ...start, flags: this.#flags };
    this.#worker = new Worker(new URL("./node.worker.js", import.meta.url), { workerData });
    this.#worker.unref();
    this.#worker.on("message", (reply: Reply) => {
      this.#due--;
      this.#calls.settle(reply);
      if (this.#calls.waiting === 0 && !this.#calls.ended) this.#worker.unref();
      if (this.#due === 0 && this.#calls.ended) this.#settle();
    });
    this.#worker.on("error", (error) => this.#calls.end(error as Error));
    this.#worker.on("exit", () => {
      open.delete(this);
      this.#calls.end(new Error("the runtime was disposed"));
      this.#settle();
    });
    if (this.#isNative) open.add(this);
  }

  call<V extends Verb>(verb: V, id: number, request: Request<V>, given: readonly ArrayBuffer[] = []) {
    return this.#calls.make<Result<V>>((call) => {
      this.#due++;
      this.#worker.ref();
      this.#worker.postMessage({ call, verb, id, request }, given);
    });
  }

  async end(): Promise<void> {
    Atomics.store(this.#flags, CLOSING, 1);
    this.#calls.end(new Error("the runtime was disposed"));
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

/** A folder for the file that a session profiles itself into, until it is read. */
function traceFolder(): Trace {
  const folder = mkdtempSync(join(tmpdir(), "imago-profile-"));
  return {
    options: { enableProfiling: true, profileFilePrefix: join(folder, "trace") },
    read: () => readFileSync(join(folder, readdirSync(folder)[0]!), "utf8"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Names of the files beside a model file in which it keeps numbers; the file itself is not loaded. */
function filesBeside(path: string): string[] {
  if (!existsSync(path)) throw userError(path, "expected an ONNX file, got no file there");
  const file = openSync(path, "r");
  const read = (from: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, from));
  };
  try {
    return externalFiles({ size: fstatSync(file).size, read }, path);
  } finally {
    closeSync(file);
  }
}

/**
 * A file on the disk: by its path where the library reads files itself, so that no size is too large, else in memory.
 */
function fileCall(path: string, isByPath: boolean): OpenCall {
  const names = filesBeside(path);
  const at = (name: string): string => join(dirname(path), name);
  const missing = names.find((name) => !existsSync(at(name)));
  if (missing !== undefined)
    throw userError(path, `expected "${missing}" beside it, where it keeps numbers, got no file there`);
  if (isByPath) return { model: resolve(path) };
  return {
    model: readFileSync(path),
    external: Object.fromEntries(names.map((name) => [name, readFileSync(at(name))])),
  };
}

export interface RuntimeOptions {
  /** Threads that one operator may use; all cores when absent. */
  readonly threads?: number;
}

/**
 * From 1.29 on onnxruntime-node reports each session to Microsoft and keeps a device's number in the home folder unless
 * this is set before it loads, in the main thread: a worker's environment is a copy that native code does not see. Who
 * set it otherwise is heard.
 */
const keepToOurselves = (): void => {
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
};

const LIBRARIES = { cpu: "onnxruntime-node", webgpu: "onnxruntime-node", wasm: "onnxruntime-web" } as const;

/**
 * Starts a runtime of this process: `cpu` and `webgpu` by onnxruntime-node, `wasm` by onnxruntime-web (what passes
 * there runs in a page), `reference` by plain TypeScript. Sessions live in a worker thread until `dispose`.
 */
export function createRuntime(name: RuntimeName, { threads = availableParallelism() }: RuntimeOptions = {}): Runtime {
  if (name === "reference") return referenceRuntime();
  const library = LIBRARIES[name];
  if (!library) throw internal(`no runtime "${name}"`);
  keepToOurselves();
  const bridge = new Bridge({ provider: name, threads, library });
  let count = 0;
  const runtime: Runtime = {
    name,
    threads,
    load(program, initial = {}, { profile = false } = {}) {
      const trace = profile && name === "cpu" ? traceFolder() : undefined;
      return loadProgram(bridge, { id: count++, target: name, program, initial, trace });
    },
    async open(source) {
      const where = "path" in source ? source.path : "the model";
      const isByPath = library === "onnxruntime-node";
      const call = "path" in source ? fileCall(source.path, isByPath) : openCallOf(source, where);
      return openForeign(bridge, count++, call, where);
    },
    share: (values) => shareValues(bridge, count++, values),
    dispose: () => bridge.end(),
  };
  return name === "webgpu" ? withWords(runtime, [noGpu("Use cpu.")]) : runtime;
}
