// @ts-check
// Trains, enlarges and times in a page; everything heavy happens in a worker.
import { autoencoder, bench, createRuntime, engine, loadModel, openLearner, openShapes, openUpscaler, pictureGrid, readPicture, toImageData } from "imago/web"; // biome-ignore format: one line

/** @template {HTMLElement} T @param {string} id @returns {T} */
const element = (id) => /** @type {T} */ (document.getElementById(id));
const say = (/** @type {string} */ text) => element("status").replaceChildren(text);

const STEPS = 300;
const SHOWN = 10; // shapes in a row
const SIZE = 28; // side of a shape in pixels

/** Starts the chosen runtime for a piece of work, and ends it. @param {(runtime: engine.Runtime) => Promise<void>} work */
async function withRuntime(work) {
  const name = /** @type {"wasm" | "webgpu"} */ (/** @type {HTMLSelectElement} */ (element("runtime")).value);
  const runtime = createRuntime(name, { library: "/onnxruntime/" });
  try {
    await work(runtime);
  } catch (error) {
    say(String(error));
    throw error;
  } finally {
    await runtime.dispose();
  }
}

/** @param {string} id @param {import("imago/web").Picture} picture */
function draw(id, picture) {
  const canvas = /** @type {HTMLCanvasElement} */ (element(id));
  [canvas.width, canvas.height] = [picture.width, picture.height];
  canvas.getContext("2d")?.putImageData(toImageData(picture), 0, 0);
}

/** Shapes [N, 1, S, S] as pictures. @param {import("imago/web").Tensor} shapes @returns {import("imago/web").Picture[]} */
const picturesOf = ({ shape: [count = 0], data }) =>
  Array.from({ length: count }, (_, n) => {
    const values = /** @type {Float32Array} */ (data).subarray(n * SIZE * SIZE, (n + 1) * SIZE * SIZE);
    const bytes = Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
    return { width: SIZE, height: SIZE, channels: 1, depth: 8, data: bytes };
  });

/** @param {engine.Runtime} runtime */
async function train(runtime) {
  const learner = await openLearner(
    autoencoder,
    { steps: STEPS, batch: 64, size: SIZE },
    { runtime, open: openShapes },
  );
  const held = await openShapes({ size: SIZE, channels: 1, part: "test" });
  const { image } = held.take([...Array(SHOWN).keys()]);
  const start = performance.now();
  for (let step = 1; step <= STEPS; step++) {
    const isShown = step % 25 === 0; // on a graphics card reading a loss means waiting for it
    const losses = await learner.step({ isShown });
    if (!isShown || !image) continue;
    say(
      `step ${step}: loss ${losses.autoencoder?.toFixed(4)}, ${((performance.now() - start) / step).toFixed(1)} ms a step`,
    );
    const { build, weights } = await learner.model();
    const network = engine.compilePredictor((shape) => build(engine.input("input", shape)), { runtime, weights });
    const rebuilt = await network.run(image);
    draw("pictures", pictureGrid([image, rebuilt].flatMap(picturesOf), { columns: SHOWN, factor: 3 }));
    await network.dispose();
  }
}

/** @param {engine.Runtime} runtime @param {Blob} file */
async function enlarge(runtime, file) {
  const upscaler = openUpscaler(await loadModel("/models/srcnn-x2.safetensors"), { runtime });
  const picture = await readPicture(new Uint8Array(await file.arrayBuffer()));
  const onProgress = (/** @type {number} */ done, /** @type {number} */ all) => say(`tile ${done} of ${all}`);
  draw("large", await upscaler.run(picture, { onProgress }));
}

/** @param {engine.Runtime} runtime */
async function time(runtime) {
  const table = /** @type {HTMLTableElement} */ (element("rows"));
  table.replaceChildren();
  const line = (/** @type {readonly string[]} */ cells) => {
    const row = table.insertRow();
    for (const cell of cells) row.insertCell().append(cell);
  };
  line(["workload", "what", "median ms", "worst ms", "first ms"]);
  for await (const { workload, kind, ms, worstMs, firstMs } of bench({ only: ["autoencoder", "tiny"] }, runtime))
    line([workload, kind, ...[ms, worstMs, firstMs].map((value) => value.toFixed(2))]);
}

element("train").onclick = () => withRuntime(train);
element("bench").onclick = () => withRuntime(time);
element("file").onchange = ({ target }) => {
  const [file] = /** @type {HTMLInputElement} */ (target).files ?? [];
  if (file) void withRuntime((runtime) => enlarge(runtime, file));
};
