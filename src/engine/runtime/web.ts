import { userError } from "../../errors.ts";
import { externalFiles, sourceOf } from "../onnx/externalFiles.ts";
import { loadProgram, shareValues } from "./executable.ts";
import { openCallOf, openForeign } from "./foreign.ts";
import { Calls } from "./pendingCalls.ts";
import type { FileSource, Runtime } from "./runtime.ts";
import { noGpu, type Wording, withWords } from "./runtimeErrors.ts";
import type { Channel, OpenCall, Reply } from "./verbs.ts";

/** What a page can run on besides the reference. */
export type WebRuntimeName = "wasm" | "webgpu";

export interface WebRuntimeOptions {
  /**
   * Threads that one operator of wasm may use: all cores when absent, one where the page is not cross-origin isolated.
   */
  readonly threads?: number;
  /** Where web.worker.js of this package is served, of the page's own origin; beside the module when absent. */
  readonly worker?: string | URL;
  /** The folder where onnxruntime-web's ort-wasm-*.mjs and .wasm are served; the worker's own when absent. */
  readonly library?: string | URL;
}

/** The worker's first message. */
export interface WorkerStart {
  readonly provider: WebRuntimeName;
  readonly threads: number;
  /** A URL that ends in a slash. */
  readonly library?: string;
}

// The form of the second is what bundlers look for.
const startWorker = (url: string | URL | undefined): Worker =>
  url === undefined
    ? new Worker(new URL("./web.worker.js", import.meta.url), { type: "module" })
    : new Worker(url, { type: "module" });

/** Calls to the worker and the promises that wait for them. */
function openChannel(url: string | URL | undefined, start: WorkerStart): Channel & { end(): void } {
  const worker = startWorker(url);
  const calls = new Calls();
  worker.onmessage = ({ data }: MessageEvent<Reply>) => calls.settle(data);
  worker.onerror = ({ message }) =>
    calls.end(
      userError(
        "runtime",
        `expected a worker that starts, got ${message || "a file that cannot be loaded"}`,
        "Serve web.worker.js as JavaScript from the page's own origin, and say where as `worker`.",
      ),
    );
  worker.postMessage(start);
  return {
    call: (verb, id, request, given = []) =>
      calls.make((call) => worker.postMessage({ call, verb, id, request }, { transfer: [...given] })),
    end() {
      calls.end(new Error("the runtime was disposed"));
      worker.terminate();
    },
  };
}

/** Threads need memory that they share, which a page has only when it is cross-origin isolated. */
function threadsFor(name: WebRuntimeName, asked: number | undefined): number {
  if (asked !== undefined && asked > 1 && name === "wasm" && !crossOriginIsolated)
    throw userError(
      "threads",
      `expected 1 in a page that is not cross-origin isolated, got ${asked}`,
      "Serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.",
    );
  if (name === "webgpu") return 1;
  return asked ?? (crossOriginIsolated ? navigator.hardwareConcurrency : 1);
}

const noFiles: Wording = {
  complaint: /no available backend found.*(fetch|import|wasm)/is,
  what: "expected ONNX Runtime's files, got an address where they are not",
  cure: "Serve ort-wasm-*.mjs and .wasm from onnxruntime-web/dist, and say where as `library`.",
};

async function fetched(url: URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw userError(url.href, `expected a file, got ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** A file of a server, and those beside it in which it keeps numbers. */
async function addressCall(path: string): Promise<OpenCall> {
  const url = new URL(path, location.href);
  const model = await fetched(url);
  const at = (name: string): URL => new URL(name.split("/").map(encodeURIComponent).join("/"), url);
  const beside = externalFiles(sourceOf(model), path).map(async (name) => [name, await fetched(at(name))] as const);
  return { model, external: Object.fromEntries(await Promise.all(beside)) };
}

const callOf = (source: FileSource, where: string): OpenCall | Promise<OpenCall> =>
  "path" in source ? addressCall(source.path) : openCallOf(source, where);

const folderOf = (url: string | URL): string => new URL(url, location.href).href.replace(/\/?$/, "/");

/**
 * Starts a runtime of this page by onnxruntime-web: `wasm` on the processor, `webgpu` on the graphics card, where
 * weights and moments stay between steps. Sessions live in a worker until `dispose`.
 * @throws UserError for a runtime that a page has not, and for threads that it may not use
 */
export function createRuntime(name: WebRuntimeName, options: WebRuntimeOptions = {}): Runtime {
  const { worker, library } = options;
  if (name !== "wasm" && name !== "webgpu") throw userError("runtime", `expected wasm or webgpu, got "${name}"`);
  const threads = threadsFor(name, options.threads);
  const channel = openChannel(worker, { provider: name, threads, library: library && folderOf(library) });
  let count = 0;
  const runtime: Runtime = {
    name,
    threads,
    load: (program, initial = {}) => loadProgram(channel, { id: count++, target: name, program, initial }),
    async open(source) {
      const where = "path" in source ? source.path : "the model";
      return openForeign(channel, count++, await callOf(source, where), where);
    },
    share: (values) => shareValues(channel, count++, values),
    dispose: async () => channel.end(),
  };
  return withWords(runtime, name === "webgpu" ? [noFiles, noGpu("Use wasm.")] : [noFiles]);
}
