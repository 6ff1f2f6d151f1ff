// @ts-check
// One workload of the bench in a process of its own, so that its peak of memory counts: { times, peakMB } for each line.
import { createInterface } from "node:readline";
import { createRuntime, openWorkload, workloads } from "imago";

const [name, kind, threads] = process.argv.slice(2);
const workload = workloads.find((one) => one.name === name);
if (!workload || (kind !== "step" && kind !== "inference")) throw new Error(`no workload ${name} ${kind}`);
const runtime = createRuntime("cpu", { threads: Number(threads) });
const opened = await openWorkload(workload, kind, runtime);

async function times(/** @type {number} */ repeat) {
  const list = [];
  for (let i = 0; i < repeat; i++) {
    const start = performance.now();
    await opened.run();
    list.push(performance.now() - start);
  }
  return list;
}

const [firstMs] = await times(1);
await times(2);
for await (const line of createInterface({ input: process.stdin })) {
  const { verb, warm, repeat } = JSON.parse(line);
  if (verb === "run") await times(warm);
  const answer = verb === "load" ? { sessionMs: opened.sessionMs, firstMs } : { times: await times(repeat) };
  console.log(JSON.stringify({ ...answer, peakMB: process.resourceUsage().maxRSS / 1024 }));
}
await runtime.dispose();
