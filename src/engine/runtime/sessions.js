// @ts-check
// What the threads that own ONNX Runtime's sessions do, in Node and in a page alike: load, write, run, read, release. Plain
// JavaScript, since Node's thread starts from the sources too. It knows nothing of graphs.

/** @typedef {{ dtype: "float32" | "int64" | "bool", shape: readonly number[], data: any }} Tensor */
/** @typedef {{ name: string, input: string, output?: string }} Slot */
/** @typedef {{ session: any, slots: Slot[], state: Map<string, any> }} Loaded */
/**
 * The library and what it has loaded. `bindsOnce`: with outputs that stay on a device, every run must ask for the same ones.
 * @typedef {{ ort: any, provider: string, threads: number, loaded: Map<number, Loaded>, bindsOnce?: boolean }} Site
 */
/** @typedef {{ call: number, verb: string, id: number, request: any }} Call */

/** @param {Site} site @param {Tensor} value */
const toOrt = ({ ort }, { dtype, shape, data }) => new ort.Tensor(dtype, data, shape);
/** @param {any} value @returns {Tensor} */
const fromOrt = (value) => ({ dtype: value.type, shape: value.dims, data: value.data });

/**
 * State that moves stays on the device, where there is one.
 * @param {Site} site @param {number} id
 * @param {{ bytes: Uint8Array, slots: Slot[], options: Record<string, unknown> }} request
 */
async function load({ ort, provider, threads, loaded }, id, { bytes, slots, options }) {
  const moving = slots.filter((slot) => slot.output);
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    enableMemPattern: false, // a pattern wants one block beside all the blocks that the first run took: twice the memory
    ...(provider === "webgpu" && {
      preferredOutputLocation: Object.fromEntries(moving.map(({ output }) => [output, "gpu-buffer"])),
    }),
    ...options,
  });
  loaded.set(id, { session, slots, state: new Map() });
}

/** @param {Site} site @param {number} id @param {{ state: Record<string, Tensor> }} request */
function write(site, id, { state }) {
  const program = /** @type {Loaded} */ (site.loaded.get(id));
  for (const [name, value] of Object.entries(state)) {
    program.state.get(name)?.dispose?.();
    program.state.set(name, toOrt(site, value));
  }
}

const nowhere = new MessageChannel().port1;
nowhere.close();
/**
 * Frees what nobody reads any more. Left to the garbage collector, several steps' worth of states would wait; a message to a
 * closed port takes it along. @param {ArrayBuffer} buffer
 */
export const free = (buffer) => nowhere.postMessage(null, [buffer]);

/** @param {Site} site @param {number} id @param {{ feeds: Record<string, Tensor>, fetch: string[] }} request */
async function run(site, id, { feeds, fetch }) {
  const program = site.loaded.get(id);
  if (!program) throw new Error("the program was disposed");
  const { session, slots, state } = program;
  const given = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, toOrt(site, value)]));
  for (const { name, input } of slots) given[input] = state.get(name);
  const moving = slots.flatMap(({ output }) => output ?? []);
  const isFixed = site.bindsOnce && moving.length > 0;
  const made = await session.run(given, isFixed ? session.outputNames : [...fetch, ...moving]);
  for (const { name, output } of slots) {
    if (!output) continue;
    const before = state.get(name);
    if (before.location === "cpu") free(before.data.buffer);
    else before.dispose();
    state.set(name, made[output]);
  }
  return Object.fromEntries(fetch.map((name) => [name, fromOrt(made[name])]));
}

/**
 * Copies the state out; on a device through a graph of Identity nodes, since reading a device tensor directly ends the process.
 * @param {Site} site @param {number} id @param {{ names: string[], identity?: Uint8Array }} request
 */
async function read({ ort, provider, loaded }, id, { names, identity }) {
  const { state } = /** @type {Loaded} */ (loaded.get(id));
  if (!identity) return Object.fromEntries(names.map((name) => [name, fromOrt(state.get(name))]));
  const session = await ort.InferenceSession.create(identity, { executionProviders: [provider], logSeverityLevel: 3 });
  try {
    const made = await session.run(Object.fromEntries(names.map((name) => [name, state.get(name)])));
    return Object.fromEntries(names.map((name) => [name, fromOrt(made[`copy ${name}`])]));
  } finally {
    await session.release();
  }
}

/** @param {Site} site @param {number} id */
function endProfiling({ loaded }, id) {
  loaded.get(id)?.session.endProfiling();
}

/** @param {Site} site @param {number} id */
async function release({ loaded }, id) {
  const program = loaded.get(id);
  loaded.delete(id);
  if (!program) return;
  for (const value of program.state.values()) value.dispose?.();
  await program.session.release();
}

/** @type {Record<string, (site: Site, id: number, request: any) => unknown>} */
const verbs = { load, write, run, read, endProfiling, release };

/**
 * Carries out one call. Never rejects: what goes wrong is in the reply. `given` are buffers that the caller gets as they
 * are, not as copies.
 * @param {Site} site @param {Call} call @returns {Promise<{ reply: object, given: ArrayBuffer[] }>}
 */
export async function answer(site, { call, verb, id, request }) {
  try {
    const result = await verbs[verb]?.(site, id, request);
    const made = /** @type {Record<string, Tensor>} */ (verb === "run" ? result : {});
    return { reply: { call, result }, given: Object.values(made).map(({ data }) => data.buffer) };
  } catch (error) {
    return { reply: { call, error: error instanceof Error ? error.message : String(error) }, given: [] };
  }
}

/**
 * Begins each piece of work when the one before has ended.
 * @template M @param {(message: M) => Promise<void>} work @returns {(message: M) => void}
 */
export function inTurn(work) {
  let last = Promise.resolve();
  return (message) => {
    last = last.then(() => work(message));
  };
}
