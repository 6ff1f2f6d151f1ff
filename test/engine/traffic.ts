import * as ort from "onnxruntime-node";
import { loadProgram } from "../../src/engine/runtime/executable.ts";
import type { OrtLibrary } from "../../src/engine/runtime/library.ts";
import type { Runtime } from "../../src/engine/runtime/runtime.ts";
import { answer, openSite } from "../../src/engine/runtime/sessions.ts";
import type { Channel, Request, Result, Verb } from "../../src/engine/runtime/verbs.ts";

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
  const bindsOnce = provider === "webgpu";
  const site = openSite(ort as unknown as OrtLibrary, { provider, threads: 1, bindsOnce });
  const channel: Channel = {
    async call<V extends Verb>(verb: V, id: number, request: Request<V>): Promise<Result<V>> {
      const { reply } = await answer(site, { call: 0, verb, id, request });
      if (reply.error !== undefined) throw new Error(reply.error);
      crossings.push({ verb, there: bytesOf(request), back: bytesOf(reply.result) });
      return reply.result as Result<V>;
    },
  };
  let count = 0;
  const unused = (): never => {
    throw new Error("not watched");
  };
  const runtime: Runtime = {
    share: unused,
    open: unused,
    name: provider,
    threads: 1,
    load: (program, initial = {}) => loadProgram(channel, { id: count++, target: provider, program, initial }),
    dispose: async () => {},
  };
  /** Where the state of the first program lies, by slot name. */
  const locations = (): Record<string, string> =>
    Object.fromEntries([...site.loaded.get(0)!.state].map(([name, { location }]) => [name, location]));
  return { runtime, crossings, locations };
}
