// @ts-check
import { dirname, join } from "node:path";

/** The backend: wasm infers; cpu trains, since wasm has no gradients of convolutions. @param {import("./peerWorker.mjs").Asked} asked */
async function prepared({ need, find, isStep, threads }) {
  const tf = need("@tensorflow/tfjs");
  if (!isStep) {
    const wasm = need("@tensorflow/tfjs-backend-wasm");
    wasm.setWasmPaths(join(dirname(find("@tensorflow/tfjs-backend-wasm")), "/"));
    wasm.setThreadsCount(threads);
  }
  await tf.setBackend(isStep ? "cpu" : "wasm");
  return tf;
}

/** A network in tfjs; each call is one run of it. @param {import("./peerWorker.mjs").Asked} asked */
export async function open(asked) {
  const { input, weights, isDense, isStep } = asked;
  const tf = await prepared(asked);
  const inner = (/** @type {number[]} */ [out, into, ...sides]) => [...sides, into, out]; // channels come last here
  const [batch, channels, ...sides] = input;
  const x = tf.randomUniform([batch, ...sides, channels]);
  const filters = weights.map((shape) => tf.variable(tf.randomUniform(inner(shape), -0.05, 0.05)));
  const biases = weights.map(([out]) => tf.variable(tf.zeros([out])));
  const layer = (/** @type {any} */ y, /** @type {number} */ at) => {
    const activation = at < weights.length - 1 ? "relu" : isDense ? "sigmoid" : "linear";
    if (isDense) return tf.fused.matMul({ a: y, b: filters[at], bias: biases[at], activation });
    return tf.fused.conv2d({ x: y, filter: filters[at], strides: 1, pad: "same", bias: biases[at], activation });
  };
  const forward = () => weights.reduce((y, _, at) => layer(y, at), x);
  const optimizer = tf.train.adam(1e-4);
  const step = () => optimizer.minimize(() => tf.losses.meanSquaredError(x, forward()), true);
  return async () => {
    const made = tf.tidy(isStep ? step : forward);
    await made.data();
    made.dispose();
  };
}
