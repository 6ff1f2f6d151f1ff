import { userError } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Target } from "../graph/emit.ts";
import type { InputAttributes } from "../graph/leaf.ts";
import type { Node } from "../graph/node.ts";
import { encode, lower, type OnnxGraph, writeModel } from "../onnx/write.ts";
import { stopGradient } from "../ops/elementwise.ts";
import { input } from "../ops/leaf.ts";
import { readProfile } from "./readProfile.ts";
import type { Executable, Program, RunTime, Shared, SharedReads, StateSlot, Tensors } from "./runtime.ts";
import type { Channel, Request, SharedSlots, Values } from "./verbs.ts";

const nameOf = (leaf: Node): string => (leaf.attributes as InputAttributes).name;
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

function graphOf({ inputs, outputs, bindings, state = [], shared }: Program, target: Target): OnnxGraph {
  const next = Object.fromEntries(state.filter((slot) => slot.next).map((slot) => [nextName(slot), slot.next!]));
  const leaves = [...inputs, ...state.map((slot) => slot.current), ...Object.values(shared?.leaves ?? {})];
  return lower({ inputs: leaves, outputs: { ...outputs, ...next }, bindings }, target);
}

/** What asks a thread for slots; all unless some are named. */
function readRequest(state: readonly StateSlot[], target: Target, names?: readonly string[]): Request<"read"> {
  const asked = state.filter(({ name }) => names?.includes(name) ?? true);
  const identity = target === "webgpu" && asked.length > 0 ? identityModel(asked) : undefined;
  return { names: asked.map(({ name }) => name), identity };
}

/** A tensor over memory of its own, which may be handed over; a Buffer's own `slice` would share it. */
export const copyOf = ({ dtype, shape, data }: Tensor): Tensor => ({
  dtype,
  shape,
  data: Uint8Array.prototype.slice.call(data),
});
/** What programs of ours return has our element types. */
const ours = (values: Promise<Values>) => values as Promise<Record<string, Tensor>>;
const bufferOf = ({ data }: Tensor): ArrayBuffer => data.buffer as ArrayBuffer;

const sharedSlots = (reads: SharedReads | undefined): SharedSlots | undefined =>
  reads && {
    id: reads.values.id,
    slots: Object.entries(reads.leaves).map(([name, leaf]) => ({ name, input: nameOf(leaf) })),
  };

/** Holds values at the other end of a channel. @param id their number there */
export async function shareValues(channel: Channel, id: number, values: Tensors): Promise<Shared> {
  const write = (given: Tensors): Promise<void> => {
    const copies = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, copyOf(value)]));
    return channel.call("share", id, { values: copies }, Object.values(copies).map(bufferOf));
  };
  await write(values);
  return { id, write, dispose: () => channel.call("unshare", id, {}) };
}

/** Where a session writes down the times of its kernels. */
export interface Trace {
  /** Session options that ask for it. */
  readonly options: Readonly<Record<string, unknown>>;
  read(): string;
  remove(): void;
}

export interface LoadRequest {
  /** Number of the program at its thread. */
  readonly id: number;
  readonly target: Target;
  readonly program: Program;
  readonly initial: Tensors;
  readonly trace?: Trace | undefined;
}

/** Loads a program at the other end of a channel. @throws UserError, when run, for an input that is not fed */
export async function loadProgram(
  channel: Channel,
  { id, target, program, initial, trace }: LoadRequest,
): Promise<Executable> {
  const { inputs, outputs, state = [] } = program;
  const graph = graphOf(program, target);
  const model = encode(graph);
  const slots = state.map((slot) => ({
    name: slot.name,
    input: nameOf(slot.current),
    output: slot.next && nextName(slot),
  }));
  const request = { model, slots, shared: sharedSlots(program.shared), options: trace?.options ?? {} };
  await channel.call("load", id, request, [model.buffer]).catch((error: unknown) => {
    trace?.remove();
    throw error;
  });
  await channel.call("write", id, { state: initial }, Object.values(initial).map(bufferOf));
  const names = inputs.map(nameOf);
  return {
    run(feeds, fetch = Object.keys(outputs)) {
      const missing = names.find((name) => !feeds[name]);
      if (missing !== undefined) throw userError(`input ${missing}`, "expected a tensor, got none");
      // faster than a message's own
      const copies = Object.fromEntries(names.map((name) => [name, copyOf(feeds[name]!)]));
      return ours(channel.call("run", id, { feeds: copies, fetch }, Object.values(copies).map(bufferOf)));
    },
    read: (names) => ours(channel.call("read", id, readRequest(state, target, names))),
    write: (values) => channel.call("write", id, { state: values }),
    ...(trace && {
      async profile(): Promise<readonly RunTime[]> {
        await channel.call("endProfiling", id, {});
        return readProfile(trace.read(), graph.nodes);
      },
    }),
    async dispose() {
      await channel.call("release", id, {}).finally(trace?.remove);
    },
  };
}
