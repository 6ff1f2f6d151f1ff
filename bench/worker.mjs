// @ts-check
// One workload of the bench in a process of its own: answers { times, peakMB } to each line.
import { createInterface } from "node:readline";
import {
  createRuntime,
  defineModel,
  engine,
  initialWeights,
  layers,
  losses,
  network,
  optimizers,
  random,
  tensor,
} from "imago";
import { z } from "zod";
import { workloads } from "./workloads.mjs";

const { compileFunction, compileStep, input } = engine;

const [name = "", kind = "", threads = "2"] = process.argv.slice(2);
const tiny = {
  name: "tiny",
  input: [1, 4],
  target: [1, 4],
  build: (/** @type {any} */ x, /** @type {any} */ p) => layers.linear(x, p("only"), { out: 4 }),
};
const workload = [...workloads, tiny].find((one) => one.name === name);
if (!workload) throw new Error(`no workload ${name}`);

const source = random(1);
const fill = (/** @type {number[]} */ shape) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => source.uniform()),
    shape,
  );
const model = defineModel({
  name,
  summary: "",
  paper: "",
  options: z.object({}),
  input: () => workload.input,
  build: (x, p) => workload.build(x, p),
});
const net = network(model);
const runtime = createRuntime("cpu", { threads: Number(threads) });
const feeds = { input: fill(workload.input), target: fill(workload.target) };
const x = input("input", workload.input);
/** @type {() => Promise<unknown>} */
let run = async () => {};

async function load() {
  const start = performance.now();
  const weights = initialWeights([net], 1);
  if (kind === "inference") {
    const program = await compileFunction({ output: net(x) }, { runtime, weights });
    run = () => program.run({ input: feeds.input });
  } else {
    const loss = losses.mse(net(x, { training: true }), input("target", workload?.target ?? []));
    const step = await compileStep(
      { losses: { [name]: loss }, optimizers: { [name]: optimizers.adam() } },
      { runtime, weights },
    );
    let count = 0;
    run = () => step.run(feeds, { step: ++count, learningRate: 1e-4 });
  }
  const sessionMs = performance.now() - start;
  await run();
  const firstMs = performance.now() - start - sessionMs;
  for (let i = 0; i < 2; i++) await run();
  return { sessionMs, firstMs };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { verb, repeat } = JSON.parse(line);
  if (verb === "load") console.log(JSON.stringify(await load()));
  else {
    const times = [];
    for (let i = 0; i < repeat; i++) {
      const start = performance.now();
      await run();
      times.push(performance.now() - start);
    }
    console.log(JSON.stringify({ times, peakMB: process.resourceUsage().maxRSS / 1024 }));
  }
}
await runtime.dispose();
