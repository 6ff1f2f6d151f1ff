// @ts-check
// Trains for two steps, writes the network as ONNX, and runs the file in plain ONNX Runtime.
// node examples/export-onnx.mjs
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createRuntime,
  engine,
  exportModel,
  floats,
  loadModel,
  srcnn,
  syntheticPhotograph,
  tensor,
  train,
  writePicture,
} from "imago";
import * as ort from "onnxruntime-web";

const folder = await mkdtemp(join(tmpdir(), "imago-example-"));
const [photo, run, file] = ["photo.png", "run", "srcnn.onnx"].map((name) => join(folder, name));
if (!photo || !run || !file) throw new Error("no names");
await writePicture(photo, syntheticPhotograph({ width: 96, height: 64, seed: 2 }));
for await (const _ of train(srcnn, { data: [photo], run, steps: 2, form: "9-1-5", patch: 32, batch: 2 }));

const model = await loadModel(run);
await exportModel(model, file);
const bytes = await readFile(file);
console.log(`${file}: ${bytes.length} bytes`);

// Standard operators, any batch, height and width: here another program's runtime, and a size of its own.
const shape = [1, 1, 20, 37];
const values = Float32Array.from({ length: 20 * 37 }, (_, i) => (i % 97) / 97);
const session = await ort.InferenceSession.create(bytes);
const theirs = await session.run({ input: new ort.Tensor("float32", values, shape) });

const runtime = createRuntime("cpu");
const build = (/** @type {readonly number[]} */ size) => model.build(engine.input("input", size));
const predictor = engine.compilePredictor(build, { runtime, weights: model.weights });
const ours = floats(await predictor.run(tensor(values, shape)));
await predictor.dispose();
await runtime.dispose();
await session.release();

const output = /** @type {Float32Array} */ (theirs.output?.data);
const difference = ours.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (output[i] ?? Number.NaN))), 0);
console.log(`largest difference: ${difference.toExponential(1)}`);
if (!(difference < 1e-5)) throw new Error("expected the file to give what the network gives");
await rm(folder, { recursive: true });
