import * as ort from "onnxruntime-node";
import { type Channel, loadProgram } from "../../src/engine/runtime/executable.ts";
import type { Runtime } from "../../src/engine/runtime/runtime.ts";
import { answer } from "../../src/engine/runtime/sessions.js";

/** Bytes of all arrays that a message holds. */
function bytesOf(message: unknown): number {
  if (ArrayBuffer.isView(message)) return message.byteLength;
  if (typeof message !== "object" || message === null) return 0;
  return Object.values(message).reduce<number>((total, part) => total + bytesOf(part), 0);
}

/** What went over a channel: the verb, and the bytes of tensors there and back. */
export interface Crossing {
  readonly verb: string;
  readonly there: number;
  readonly back: number;
}

/** A runtime whose sessions live in this thread, so that one sees what is sent to them and where they keep their state. */
export function watchedRuntime(provider: "cpu" | "webgpu") {
  const crossings: Crossing[] = [];
  const loaded = new Map<number, { session: unknown; slots: never[]; state: Map<string, { location: string }> }>();
  const site = { ort, provider, threads: 1, loaded, bindsOnce: provider === "webgpu" };
  const channel: Channel = {
    async call<T>(verb: string, id: number, request: object = {}): Promise<T> {
      const { reply } = await answer(site as Parameters<typeof answer>[0], { call: 0, verb, id, request });
      const { result, error } = reply as { result: T; error?: string };
      if (error !== undefined) throw new Error(error);
      crossings.push({ verb, there: bytesOf(request), back: bytesOf(result) });
      return result;
    },
  };
  let count = 0;
  const runtime: Runtime = {
    name: provider,
    threads: 1,
    load: (program, initial = {}) => loadProgram(channel, { id: count++, target: provider, program, initial }),
    dispose: async () => {},
  };
  /** Where the state of the first program lies, by slot name. */
  const locations = (): Record<string, string> =>
    Object.fromEntries([...loaded.get(0)!.state].map(([name, { location }]) => [name, location]));
  return { runtime, crossings, locations };
}
