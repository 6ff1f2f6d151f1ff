// What the threads that own ONNX Runtime's sessions do, in Node and in a page alike: load, write, run, read, release.
// It
// knows nothing of graphs.
import type { OrtEnd, OrtLibrary, OrtSession, OrtTensor } from "./library.ts";
import type { Call, End, LoadCall, OpenCall, Reply, Request, Result, RunCall, Slot, Value, Verb } from "./verbs.ts";

/** Values by name. */
type Held = Map<string, OrtTensor>;

interface Loaded {
  readonly session: OrtSession;
  readonly slots: readonly Slot[];
  readonly state: Held;
  /** Values of others that runs read. */
  readonly reads: { readonly slots: readonly Slot[]; readonly values: Held };
}

/** The library and what it has loaded. */
export interface Site {
  readonly ort: OrtLibrary;
  readonly provider: string;
  readonly threads: number;
  /** By the program's number. */
  readonly loaded: Map<number, Loaded>;
  /** By their number. */
  readonly shared: Map<number, Held>;
  /** With outputs that stay on a device, every run of a program must ask for the same ones. */
  readonly bindsOnce: boolean;
}

/** A library that has loaded nothing yet. */
export const openSite = (
  ort: OrtLibrary,
  { provider, threads, bindsOnce = false }: { provider: string; threads: number; bindsOnce?: boolean },
): Site => ({
  ort,
  provider,
  threads,
  bindsOnce,
  loaded: new Map(),
  shared: new Map(),
});

const toOrt = ({ ort }: Site, { dtype, shape, data }: Value): OrtTensor => new ort.Tensor(dtype, data, shape);
const fromOrt = ({ type, dims, data }: OrtTensor): Value => ({
  dtype: type,
  shape: dims,
  data: data as ArrayBufferView,
});
const bufferOf = ({ data }: Value): ArrayBuffer => data.buffer as ArrayBuffer;

function loadedAt({ loaded }: Site, id: number): Loaded {
  const program = loaded.get(id);
  if (!program) throw new Error("the program was disposed");
  return program;
}

const optionsOf = ({ provider, threads }: Site): Record<string, unknown> => ({
  executionProviders: [provider],
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
  enableMemPattern: false, // a pattern wants one block beside all the blocks that the first run took: twice the memory
});

/** State that moves stays on the device, where there is one. */
async function load(site: Site, id: number, { model, slots, shared, options }: LoadCall): Promise<void> {
  const moving = slots.flatMap(({ output }) => output ?? []);
  const session = await site.ort.InferenceSession.create(model, {
    ...optionsOf(site),
    ...(site.provider === "webgpu" && {
      preferredOutputLocation: Object.fromEntries(moving.map((output) => [output, "gpu-buffer"])),
    }),
    ...options,
  });
  const reads = { slots: shared?.slots ?? [], values: site.shared.get(shared?.id ?? -1) ?? new Map() };
  site.loaded.set(id, { session, slots, state: new Map(), reads });
}

const endOf = ({ name, isTensor, type = "", shape = [] }: OrtEnd): End => ({
  name,
  type: isTensor ? type : "sequence or map",
  shape,
});

/** The file is read as ONNX and nothing else: what was looked for in it before is what is there. */
async function open(site: Site, id: number, { model, external = {} }: OpenCall): Promise<Result<"open">> {
  const session = await site.ort.InferenceSession.create(model, {
    ...optionsOf(site),
    extra: { session: { load_model_format: "ONNX" } },
    externalData: Object.entries(external).map(([path, data]) => ({ path, data })),
  });
  site.loaded.set(id, { session, slots: [], state: new Map(), reads: { slots: [], values: new Map() } });
  return { inputs: session.inputMetadata.map(endOf), outputs: session.outputMetadata.map(endOf) };
}

/** A buffer of its own belongs to each value. */
function share(site: Site, id: number, { values }: Request<"share">): void {
  const held: Held = site.shared.get(id) ?? new Map();
  site.shared.set(id, held);
  for (const [name, value] of Object.entries(values)) {
    const before = held.get(name);
    if (before) free(bufferOf(fromOrt(before)));
    held.set(name, toOrt(site, value));
  }
}

function unshare({ shared }: Site, id: number): void {
  const held: Held = shared.get(id) ?? new Map();
  for (const value of held.values()) free(bufferOf(fromOrt(value)));
  held.clear();
  shared.delete(id);
}

function write(site: Site, id: number, { state: values }: Request<"write">): void {
  const { state } = loadedAt(site, id);
  for (const [name, value] of Object.entries(values)) {
    state.get(name)?.dispose();
    state.set(name, toOrt(site, value));
  }
}

const nowhere = new MessageChannel().port1;
nowhere.close();
/**
 * Frees what nobody reads any more. Left to the garbage collector, several steps' worth of states would wait; a message
 * to a closed port takes it along.
 */
export const free = (buffer: ArrayBuffer): void => nowhere.postMessage(null, [buffer]);

function sharedValue(values: Held, name: string): OrtTensor {
  const value = values.get(name);
  if (!value) throw new Error(`the shared value ${name} was disposed`);
  return value;
}

async function run(site: Site, id: number, { feeds, fetch }: RunCall): Promise<Result<"run">> {
  const { session, slots, state, reads } = loadedAt(site, id);
  const given = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, toOrt(site, value)]));
  for (const { name, input } of slots) given[input] = state.get(name)!;
  for (const { name, input } of reads.slots) given[input] = sharedValue(reads.values, name);
  const moving = slots.flatMap(({ output }) => output ?? []);
  const isFixed = site.bindsOnce && moving.length > 0;
  const made = await session.run(given, isFixed ? session.outputNames : [...fetch, ...moving]);
  for (const { name, output } of slots) {
    if (!output) continue;
    const before = state.get(name)!;
    if (before.location === "cpu") free(bufferOf(fromOrt(before)));
    else before.dispose();
    state.set(name, made[output]!);
  }
  return Object.fromEntries(fetch.map((name) => [name, fromOrt(made[name]!)]));
}

/**
 * Copies the state out; on a device through a graph of Identity nodes, since reading a device tensor directly ends the
 * process.
 */
async function read(site: Site, id: number, { names, identity }: Request<"read">): Promise<Result<"read">> {
  const { state } = loadedAt(site, id);
  if (!identity) return Object.fromEntries(names.map((name) => [name, fromOrt(state.get(name)!)]));
  const options = { executionProviders: [site.provider], logSeverityLevel: 3 };
  const session = await site.ort.InferenceSession.create(identity, options);
  try {
    const made = await session.run(Object.fromEntries(names.map((name) => [name, state.get(name)!])));
    return Object.fromEntries(names.map((name) => [name, fromOrt(made[`copy ${name}`]!)]));
  } finally {
    await session.release();
  }
}

async function release({ loaded }: Site, id: number): Promise<void> {
  const program = loaded.get(id);
  loaded.delete(id);
  if (!program) return;
  for (const value of program.state.values()) value.dispose();
  await program.session.release();
}

type Does<V extends Verb> = (site: Site, id: number, request: Request<V>) => Result<V> | Promise<Result<V>>;

const verbs: { readonly [V in Verb]: Does<V> } = {
  load,
  share,
  unshare,
  open,
  write,
  run,
  read,
  endProfiling: (site, id) => loadedAt(site, id).session.endProfiling(),
  release,
};

/** What a call came to, and the buffers that the caller gets as they are, not as copies. */
export interface Answer {
  readonly reply: Reply;
  readonly given: ArrayBuffer[];
}

/** Carries out one call. Never rejects: what goes wrong is in the reply. */
export async function answer<V extends Verb>(site: Site, { call, verb, id, request }: Call<V>): Promise<Answer> {
  try {
    const result = await verbs[verb](site, id, request);
    const made = verb === "run" ? (result as Result<"run">) : {};
    return { reply: { call, result }, given: Object.values(made).map(bufferOf) };
  } catch (error) {
    return { reply: { call, error: error instanceof Error ? error.message : String(error) }, given: [] };
  }
}

/** Begins each piece of work when the one before has ended. */
export function inTurn<M>(work: (message: M) => Promise<void>): (message: M) => void {
  let last = Promise.resolve();
  return (message) => {
    last = last.then(() => work(message));
  };
}
