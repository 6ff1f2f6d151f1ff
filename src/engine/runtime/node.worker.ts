// The thread that owns ONNX Runtime's sessions, so that a run never blocks the caller's event loop. A file of its own
// in the
// package; tests have it bundled beside this file, since Node 20 starts no TypeScript.
import { parentPort, workerData } from "node:worker_threads";
import type { OrtLibrary } from "./library.ts";
import { type Answer, answer, free, inTurn, openSite } from "./sessions.ts";
import type { Call } from "./verbs.ts";

/** What the thread is started with. */
export interface WorkerStart {
  /** The package to load: onnxruntime-node or onnxruntime-web. */
  readonly library: string;
  readonly provider: string;
  readonly threads: number;
  /** Shared with the caller: whether this thread is inside the library, and whether it shall begin nothing more. */
  readonly flags: Int32Array;
}

const { provider, threads, library, flags } = workerData as WorkerStart;
const [BUSY, CLOSING] = [0, 1];
const tell = (isBusy: boolean): void => {
  Atomics.store(flags, BUSY, Number(isBusy));
  if (!isBusy) Atomics.notify(flags, BUSY);
};

const ort: OrtLibrary = await import(library).finally(() => tell(false));
parentPort?.postMessage({ call: -1 });
if (provider === "wasm") ort.env.wasm.numThreads = threads;
// onnxruntime-node 1.30 keeps what earlier runs bound: asked for other outputs, it refuses, or gives one in place of
// another.
const site = openSite(ort, { provider, threads, bindsOnce: provider === "webgpu" });

/**
 * glibc's malloc gives memory of this size back to the system until a block as large has once been freed, and then
 * keeps it: the pages of a step's results would be new ones at every step.
 */
const LARGEST_BLOCK = 2 ** 25 - 2 ** 16;
free(new ArrayBuffer(LARGEST_BLOCK));

const refused = ({ call }: Call): Answer => ({ reply: { call, error: "the runtime was disposed" }, given: [] });

async function carryOut(call: Call): Promise<void> {
  tell(true);
  const isClosing = Atomics.load(flags, CLOSING) === 1;
  const { reply, given } = isClosing ? refused(call) : await answer(site, call);
  tell(false);
  parentPort?.postMessage(reply, given);
}

parentPort?.on("message", inTurn(carryOut));
