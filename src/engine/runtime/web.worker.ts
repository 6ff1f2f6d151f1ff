// The page's thread that owns ONNX Runtime's sessions, so that a run never blocks the page. A file of its own in the
// package.
import type { OrtLibrary } from "./library.ts";
import { answer, inTurn, openSite, type Site } from "./sessions.ts";
import type { Call } from "./verbs.ts";
import type { WorkerStart } from "./web.ts";

/** Each provider has a build of its own: the one without WebGPU is half as large. */
const libraries = {
  wasm: () => import("onnxruntime-web/wasm"),
  webgpu: () => import("onnxruntime-web/webgpu"),
};

async function open({ provider, threads, library }: WorkerStart): Promise<Site> {
  const ort = (await libraries[provider]()) as unknown as OrtLibrary; // its overloads hide the one that is used
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = "error"; // what goes wrong comes back as an error
  if (library !== undefined) ort.env.wasm.wasmPaths = library; // else it looks beside this file
  return openSite(ort, { provider, threads });
}

let site: Promise<Site>;

async function carryOut(call: Call): Promise<void> {
  const { reply, given } = await answer(await site, call);
  postMessage(reply, { transfer: given });
}
const answerInTurn = inTurn(carryOut);

/** The first message says how to start, the others are calls. */
addEventListener("message", ({ data }: MessageEvent<WorkerStart | Call>) => {
  if ("provider" in data) site = open(data);
  else answerInTurn(data);
});
