// @ts-check
// The thread that owns ONNX Runtime's sessions, so that a run never blocks the caller's event loop. Plain JavaScript:
// Node starts it as a file, from the sources under test and from the package alike.
import { parentPort, workerData } from "node:worker_threads";

/** @typedef {{ dtype: "float32" | "int64" | "bool", shape: readonly number[], data: any }} Tensor */
/** @typedef {{ name: string, input: string, output?: string }} Slot */
/** @typedef {{ session: any, slots: Slot[], state: Map<string, any>, spare: Map<string, any>, outputs: Record<string, { dtype: Tensor["dtype"], shape: readonly number[] }> }} Loaded */

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
const onDevice = provider === "webgpu";
const preallocate = library === "onnxruntime-node" && !onDevice;
if (provider === "wasm") ort.env.wasm.numThreads = threads;

/** @type {Map<number, Loaded>} */
const loaded = new Map();
const arrays = { float32: Float32Array, int64: BigInt64Array, bool: Uint8Array };

/** @param {Tensor} value */
const toOrt = ({ dtype, shape, data }) => new ort.Tensor(dtype, data, shape);
/** @param {{ dtype: Tensor["dtype"], shape: readonly number[] }} end */
const blank = ({ dtype, shape }) => toOrt({ dtype, shape, data: new arrays[dtype](shape.reduce((a, b) => a * b, 1)) });
/** @param {any} value @returns {Tensor} */
const fromOrt = (value) => ({ dtype: value.type, shape: value.dims, data: value.data });

/** @param {{ bytes: Uint8Array, slots: Slot[], outputs: Loaded["outputs"], options: Record<string, unknown> }} request */
async function load({ bytes, slots, outputs, options }, /** @type {number} */ id) {
  const moving = slots.filter((slot) => slot.output);
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    enableMemPattern: false, // a pattern wants one block beside all the blocks that the first run took: twice the memory
    ...(onDevice && {
      preferredOutputLocation: Object.fromEntries(moving.map(({ output }) => [output, "gpu-buffer"])),
    }),
    ...options,
  });
  loaded.set(id, { session, slots, outputs, state: new Map(), spare: new Map() });
}

/** @param {{ state: Record<string, Tensor> }} request */
function write({ state }, /** @type {number} */ id) {
  const program = /** @type {Loaded} */ (loaded.get(id));
  for (const [name, value] of Object.entries(state)) {
    program.state.get(name)?.dispose?.();
    program.state.set(name, toOrt(value));
  }
}

const nowhere = new MessageChannel().port1;
nowhere.close();
/**
 * Frees a copy that onnxruntime-node makes of every output beside the buffer it was given for it. Left to the garbage
 * collector, several steps' worth of states would wait; a message to a closed port takes it along. @param {ArrayBuffer} copy
 */
const free = (copy) => nowhere.postMessage(null, [copy]);

/** @param {{ feeds: Record<string, Tensor>, fetch: string[] }} request */
async function run({ feeds, fetch }, /** @type {number} */ id) {
  const program = loaded.get(id);
  if (!program) throw new Error("the program was disposed");
  const { session, slots, state, spare, outputs } = program;
  const given = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, toOrt(value)]));
  for (const { name, input } of slots) given[input] = state.get(name);
  /** @type {Record<string, any>} */
  const wanted = {};
  for (const name of fetch) wanted[name] = preallocate ? blank(/** @type {any} */ (outputs[name])) : null;
  for (const { name, output } of slots)
    if (output)
      wanted[output] = preallocate ? (spare.get(name) ?? blank(state.get(name) && fromOrt(state.get(name)))) : null;
  const made = await session.run(given, wanted);
  for (const { name, output } of slots) {
    if (!output) continue;
    if (preallocate) spare.set(name, state.get(name));
    else state.get(name).dispose();
    state.set(name, preallocate ? wanted[output] : made[output]);
    if (preallocate) free(made[output].data.buffer);
  }
  return Object.fromEntries(fetch.map((name) => [name, fromOrt(made[name])]));
}

/** Copies the state out; on a device through a graph of Identity nodes, since reading a device tensor directly ends the process. */
async function read(/** @type {{ identity?: Uint8Array }} */ { identity }, /** @type {number} */ id) {
  const { state } = /** @type {Loaded} */ (loaded.get(id));
  if (!identity) return Object.fromEntries([...state].map(([name, value]) => [name, fromOrt(value)]));
  const session = await ort.InferenceSession.create(identity, { executionProviders: [provider], logSeverityLevel: 3 });
  try {
    const made = await session.run(Object.fromEntries(state));
    return Object.fromEntries([...state.keys()].map((name) => [name, fromOrt(made[`copy ${name}`])]));
  } finally {
    await session.release();
  }
}

async function release(/** @type {unknown} */ _request, /** @type {number} */ id) {
  const program = loaded.get(id);
  loaded.delete(id);
  if (!program) return;
  for (const value of [...program.state.values(), ...program.spare.values()]) value.dispose?.();
  await program.session.release();
}

/** @type {Record<string, (request: any, id: number) => unknown>} */
const verbs = { load, write, run, read, release };
let queue = Promise.resolve();

parentPort?.on("message", ({ call, verb, id, request }) => {
  queue = queue.then(async () => {
    /** @type {object} */
    let reply;
    /** Buffers that the caller gets as they are, not as copies. @type {ArrayBuffer[]} */
    let given = [];
    tell(true);
    try {
      if (Atomics.load(flags, CLOSING) === 1) throw new Error("the runtime was disposed");
      const result = await verbs[verb]?.(request, id);
      if (verb === "run" && preallocate)
        given = Object.values(/** @type {Record<string, Tensor>} */ (result)).map(({ data }) => data.buffer);
      reply = { call, result };
    } catch (error) {
      reply = { call, error: error instanceof Error ? error.message : String(error) };
    }
    tell(false);
    parentPort?.postMessage(reply, given);
  });
});
