// @ts-check
// This checkout beside an older one, in turns: node bench/versions.mjs --before ../imago-before [--rounds 5] [--only dcgan,srcnn]
// Both need `npm ci`. Writes bench/results/versions.json.
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median, open } from "./process.mjs";
import { VARIANTS } from "./report.mjs";
import { TURNS } from "./turns.mjs";

const { values } = parseArgs({
  options: {
    before: { type: "string" },
    rounds: { type: "string", default: "5" },
    threads: { type: "string", default: "2" },
    only: { type: "string", default: Object.keys(TURNS).join(",") },
    output: { type: "string", default: fileURLToPath(new URL("results/versions.json", import.meta.url)) },
  },
});
if (values.before === undefined) throw new Error("expected --before, the folder of an older checkout");
const rounds = Number(values.rounds);
const folders = [fileURLToPath(new URL("..", import.meta.url)), resolve(values.before)];

/** Medians of both and the median of their ratio by round. @param {string} workload @param {string} kind */
async function compare(workload, kind) {
  const [now, before] = folders.map((folder) =>
    open(process.execPath, [join(folder, "bench/worker.mjs"), workload, kind, values.threads]),
  );
  if (!now || !before) throw new Error("two folders");
  for (const one of [now, before]) await one.ask({ verb: "load" });
  const times = /** @type {{ now: number, before: number }[]} */ ([]);
  let [nowPeakMB, beforePeakMB] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const turn = { verb: "run", ...TURNS[workload] };
    const order = round % 2 === 0 ? [now, before] : [before, now]; // neither is always first
    const answers = new Map();
    for (const one of order) answers.set(one, await one.ask(turn));
    times.push({ now: median(answers.get(now).times), before: median(answers.get(before).times) });
    [nowPeakMB, beforePeakMB] = [answers.get(now).peakMB, answers.get(before).peakMB];
  }
  now.close();
  before.close();
  const ratio = median(times.map((one) => one.now / one.before));
  const [nowMs, beforeMs] = [median(times.map((one) => one.now)), median(times.map((one) => one.before))];
  return { workload, kind, nowMs, beforeMs, ratio, nowPeakMB, beforePeakMB };
}

/** @type {Awaited<ReturnType<typeof compare>>[]} */
const rows = [];
for (const workload of values.only.split(","))
  for (const kind of VARIANTS.includes(workload) ? ["step"] : ["step", "inference"]) {
    const row = await compare(workload, kind);
    rows.push(row);
    console.error(
      `${workload} ${kind}: ${row.nowMs.toFixed(2)} / ${row.beforeMs.toFixed(2)} ms, ${row.ratio.toFixed(3)}`,
    );
  }
const mean = (/** @type {string} */ kind) => {
  const ratios = rows.filter((row) => row.kind === kind).map(({ ratio }) => Math.log(ratio));
  return Math.exp(ratios.reduce((sum, one) => sum + one, 0) / ratios.length);
};
const means = { step: mean("step"), inference: mean("inference") };
writeFileSync(values.output, `${JSON.stringify({ rounds, threads: Number(values.threads), means, rows }, null, 2)}\n`);
console.error(
  `geometric means of now / before: step ${means.step.toFixed(3)}, inference ${means.inference.toFixed(3)}`,
);
