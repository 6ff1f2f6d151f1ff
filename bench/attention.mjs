// @ts-check
// node bench/attention.mjs [THREADS]: attention over a map of 64×64, 4 heads of 32 channels, there and back, in chunks and with the
// whole matrix, each in a process of its own, as JSON: peak of memory, time, and the largest difference of outputs and gradients.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const [SIDE, HEADS, DEPTH, RUNS, EVERY] = [64, 4, 32, 3, 97];
const shape = [1, HEADS * DEPTH, SIDE * SIDE];
const here = fileURLToPath(import.meta.url);
const [asked = "1", form] = process.argv.slice(2);

/** What one process reports; `kept` is every 97th number of each result. @typedef {{ peakMB: number, ms: number, kept: Record<string, number[]> }} Report */

/** @param {string} form @returns {Promise<Report>} */
async function measure(form) {
  const { createRuntime, engine } = await import("imago");
  const { attention, compileFunction, gradient, input, matmul, mul, reshape, softmax, sum } = engine;
  const [q, k, v, dy] = ["q", "k", "v", "dy"].map((name) => input(name, shape));
  if (!q || !k || !v || !dy) throw new Error("four inputs");
  const whole = () => {
    const [queries, keys, values] = [q, k, v].map((x) => reshape(x, [HEADS, DEPTH, -1]));
    if (!queries || !keys || !values) throw new Error("three inputs");
    const shares = softmax(matmul(mul(queries, DEPTH ** -0.5), keys, { transposeA: true }));
    return reshape(matmul(values, shares, { transposeB: true }), shape);
  };
  const y = form === "chunks" ? attention(q, k, v, { heads: HEADS }) : whole();
  const [dq, dk, dv] = gradient(sum(mul(y, dy)), [q, k, v]);
  if (!dq || !dk || !dv) throw new Error("three gradients");
  const runtime = createRuntime("cpu", { threads: Number(asked) });
  const compiled = await compileFunction({ y, dq, dk, dv }, { runtime });
  const size = shape.reduce((a, b) => a * b);
  const feeds = Object.fromEntries(
    ["q", "k", "v", "dy"].map((name, at) => {
      const data = Float32Array.from({ length: size }, (_, place) => 2 * Math.sin((place + 1) * (12.9898 + at)));
      return [name, { dtype: /** @type {const} */ ("float32"), shape, data }];
    }),
  );
  let [ms, made] = [Number.POSITIVE_INFINITY, await compiled.run(feeds)];
  for (let run = 1; run < RUNS; run++) {
    const before = performance.now();
    made = await compiled.run(feeds);
    ms = Math.min(ms, performance.now() - before);
  }
  const kept = Object.entries(made).map(([name, { data }]) => [
    name,
    Array.from(data, Number).filter((_, at) => at % EVERY === 0),
  ]);
  await runtime.dispose();
  return { peakMB: process.resourceUsage().maxRSS / 1024, ms, kept: Object.fromEntries(kept) };
}

/** @param {string} form @returns {Report} */
function inProcess(form) {
  const { status, stdout } = spawnSync(process.execPath, [here, asked, form], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`the process of ${form} ended with ${status}`);
  return JSON.parse(stdout);
}

if (form) {
  console.log(JSON.stringify(await measure(form)));
} else {
  const [chunks, whole] = [inProcess("chunks"), inProcess("whole")];
  const difference = Object.entries(whole.kept).map(([name, values]) => [
    name,
    Math.max(...values.map((value, at) => Math.abs(value - /** @type {number} */ (chunks.kept[name]?.[at])))),
  ]);
  console.log(
    JSON.stringify({
      chunks: { peakMB: chunks.peakMB, ms: chunks.ms },
      whole: { peakMB: whole.peakMB, ms: whole.ms },
      difference: Object.fromEntries(difference),
    }),
  );
}
