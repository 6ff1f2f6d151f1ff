// @ts-check
// node bench/loop.mjs [THREADS]: what a step of a loop takes beside its network's own run, in turns, as JSON: medians in milliseconds.
import { createRuntime, engine } from "imago";
import { median } from "./process.mjs";

const { add, compileFunction, compileLoop, constant, conv2d, input, mul, silu } = engine;
const [ROUNDS, WARM] = [60, 5];
const shape = [1, 64, 64, 64];
const size = shape.reduce((a, b) => a * b);

/** @param {number} count @param {number} scale */
const numbers = (count, scale) => Float32Array.from({ length: count }, (_, at) => scale * Math.sin(at * 12.9898));
/** @param {import("imago").engine.Node} x */
const layer = (x) => conv2d(x, constant(numbers(64 * 64 * 9, 0.05), [64, 64, 3, 3]), { padding: 1 });

const x = input("x", shape);
const h = input("h", []);
const slope = layer(silu(layer(silu(layer(silu(layer(x)))))));
const runtime = createRuntime("cpu", { threads: Number(process.argv[2] ?? 1) });
/** @type {engine.Tensors} */
const start = { x: { dtype: "float32", shape, data: numbers(size, 1) } };
const feeds = { h: /** @type {const} */ ({ dtype: "float32", shape: [], data: Float32Array.of(0.001) }) };
const plain = await compileFunction({ slope }, { runtime });
const loop = await compileLoop({ x: { leaf: x, next: add(x, mul(h, slope)) } }, { runtime, start });

const turns = { network: () => plain.run(start), loop: () => loop.run(feeds) };
/** @type {Record<keyof typeof turns, number[]>} */
const times = { network: [], loop: [] };
for (let round = 0; round < ROUNDS; round++)
  for (const name of /** @type {const} */ (["network", "loop"])) {
    const before = performance.now();
    await turns[name]();
    if (round >= WARM) times[name].push(performance.now() - before);
  }
const [networkMs, loopMs] = [median(times.network), median(times.loop)];
/** Both of a round saw the same machine. */
const ratio = median(times.loop.map((time, at) => time / /** @type {number} */ (times.network[at])));
console.log(JSON.stringify({ threads: runtime.threads, networkMs, loopMs, ratio }));
await runtime.dispose();
