// @ts-check
// Does the job that the address names, posts what came of it, and goes where the answer says.
import * as imago from "imago/web";
import { train } from "./training.js";

const LIBRARY = "/onnxruntime/";

/** @template T @param {imago.engine.Runtime} runtime @param {(runtime: imago.engine.Runtime) => Promise<T>} work */
async function using(runtime, work) {
  try {
    return await work(runtime);
  } finally {
    await runtime.dispose();
  }
}

/** What went wrong, in words. @param {() => unknown} work */
const faultOf = async (work) => {
  try {
    await work();
    return "nothing";
  } catch (error) {
    return String(error);
  }
};

/** @param {imago.engine.Runtime} runtime */
async function timesOf(runtime) {
  const rows = [];
  for await (const row of imago.bench({ only: runtime.name === "wasm" ? ["autoencoder", "tiny"] : ["tiny"], rounds: 5 }, runtime)) rows.push(row); // biome-ignore format: one line
  return rows;
}

/** Trains on WebGPU and counts what is read back from the device in between. */
async function trainResident() {
  const heard = new BroadcastChannel("reads");
  /** @type {number[]} */
  let reads = [];
  heard.onmessage = ({ data }) => reads.push(data);
  /** @type {number[][]} */
  const counts = [];
  const mark = async () => {
    await new Promise((resolve) => setTimeout(resolve, 200)); // another channel than the replies'
    counts.push(reads);
    reads = [];
  };
  const worker = new URL("counting.worker.js", location.href);
  const trained = await using(imago.createRuntime("webgpu", { library: LIBRARY, worker }), (runtime) => train(imago, runtime, 5, mark)); // biome-ignore format: one line
  return { ...trained, counts };
}

/** Enlarges a picture that the browser decoded. */
async function enlarge() {
  const picture = await imago.readPicture("/picture.png");
  const model = await imago.loadModel("/models/srcnn-x2.safetensors");
  return using(imago.createRuntime("wasm", { library: LIBRARY, threads: 2 }), async (runtime) => {
    const { width, height, channels, data } = await imago.openUpscaler(model, { runtime }).run(picture);
    const again = imago.fromImageData(imago.toImageData(picture));
    return {
      width,
      height,
      channels,
      data: [...data],
      decoded: [...picture.data],
      isSame: imago.isSamePicture(picture, again),
    };
  });
}

/** @type {Readonly<Record<string, () => Promise<unknown>>>} */
const jobs = {
  threads: () =>
    using(imago.createRuntime("wasm", { library: LIBRARY, threads: 2 }), (runtime) => train(imago, runtime, 50)),
  plain: () => using(imago.createRuntime("wasm", { library: LIBRARY }), async (runtime) => ({ ...(await train(imago, runtime, 50)), threads: runtime.threads, refused: await faultOf(() => imago.createRuntime("wasm", { threads: 2 })) })), // biome-ignore format: one line
  webgpu: trainResident,
  bench: async () => ({
    wasm: await using(imago.createRuntime("wasm", { library: LIBRARY, threads: 2 }), timesOf),
    webgpu: await using(imago.createRuntime("webgpu", { library: LIBRARY }), timesOf),
  }),
  enlarge,
  foreign: () =>
    using(imago.createRuntime("wasm", { library: LIBRARY, threads: 1 }), async (runtime) => {
      const { inputs, run } = await runtime.open({ path: "/beside/net.onnx" });
      const { y } = await run({ x: imago.tensor([1, 2, 3, 4], [4]) });
      return { y: y && [...y.data], type: inputs[0]?.type };
    }),
  faults: async () => ({
    worker: await faultOf(() => using(imago.createRuntime("wasm", { worker: "/nowhere.js" }), timesOf)),
    library: await faultOf(() => using(imago.createRuntime("wasm", { library: "/nowhere/" }), timesOf)),
    gpu: await faultOf(() =>
      using(imago.createRuntime("webgpu", { library: LIBRARY, worker: "blind.worker.js" }), timesOf),
    ),
    model: await faultOf(() => imago.loadModel("/models/none.safetensors")),
    picture: await faultOf(() => imago.readPicture(Uint8Array.of(1, 2, 3))),
  }),
};

const job = new URLSearchParams(location.search).get("job") ?? "";
const result = await (jobs[job]?.() ?? Promise.reject(new Error(`no job "${job}"`))).catch((error) => ({ fault: String(error?.stack ?? error) })); // biome-ignore format: one line
const answer = await fetch(`/result/${job}`, { method: "POST", body: JSON.stringify({ crossOriginIsolated, ...(/** @type {object} */ (result)) }) }); // biome-ignore format: one line
const next = await answer.text();
if (next !== "") location.href = next;
