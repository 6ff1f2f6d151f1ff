// @ts-check
// The thread that owns ONNX Runtime's sessions, so that a run never blocks the caller's event loop. Plain JavaScript:
// Node starts it as a file, from the sources under test and from the package alike.
import { parentPort, workerData } from "node:worker_threads";
import { answer, free, inTurn } from "./sessions.js";

const { provider, threads, library } = workerData;
/** Shared with the caller: whether this thread is inside the library, and whether it shall begin nothing more. @type {Int32Array} */
const flags = workerData.flags;
const [BUSY, CLOSING] = [0, 1];
/** @param {boolean} isBusy */
const tell = (isBusy) => {
  Atomics.store(flags, BUSY, Number(isBusy));
  if (!isBusy) Atomics.notify(flags, BUSY);
};

/** @type {any} */
const ort = await import(library).finally(() => tell(false));
parentPort?.postMessage({ call: -1 });
if (provider === "wasm") ort.env.wasm.numThreads = threads;
// onnxruntime-node 1.30 keeps what earlier runs bound: asked for other outputs, it refuses, or gives one in place of another.
const site = { ort, provider, threads, loaded: new Map(), bindsOnce: provider === "webgpu" };

/**
 * glibc's malloc gives memory of this size back to the system until a block as large has once been freed, and then keeps it:
 * the pages of a step's results would be new ones at every step.
 */
const LARGEST_BLOCK = 2 ** 25 - 2 ** 16;
free(new ArrayBuffer(LARGEST_BLOCK));

/** @param {import("./sessions.js").Call} call */
const refused = ({ call }) => ({ reply: { call, error: "the runtime was disposed" }, given: [] });

/** @param {import("./sessions.js").Call} call */
async function carryOut(call) {
  tell(true);
  const isClosing = Atomics.load(flags, CLOSING) === 1;
  const { reply, given } = isClosing ? refused(call) : await answer(site, call);
  tell(false);
  parentPort?.postMessage(reply, given);
}

parentPort?.on("message", inTurn(carryOut));
