// @ts-check
// npm run bench -- [--json FILE] [--only NAME,…] [--rounds N] [--threads N]
// Times training steps and inference against PyTorch in turns, in processes of their own so that peaks of memory count.
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    json: { type: "string" },
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
    threads: { type: "string", default: String(availableParallelism()) },
    python: { type: "string", default: "/usr/bin/python3" },
  },
});
const [threads, rounds] = [Number(values.threads), Number(values.rounds)];
const only = values.only?.split(",");
const here = (/** @type {string} */ name) => new URL(name, import.meta.url).pathname;
const log = (/** @type {string} */ text) => process.stderr.write(`${text}\n`);
const median = (/** @type {number[]} */ list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;

/** A process that answers one JSON line to one JSON line. */
function open(/** @type {string} */ command, /** @type {string[]} */ args) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(/** @type {object} */ question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ended`);
      return JSON.parse(value);
    },
    close: () => child.stdin.end(),
  };
}

const hasTorch = spawnSync(values.python, ["-c", "import torch"]).status === 0;
if (!hasTorch)
  log(
    `${values.python} has no PyTorch: its columns stay empty (Debian: apt-get install python3-torch libopenblas0-pthread).`,
  );

/** Runs of a turn: the first ones do not count, while the other process's threads come to rest. */
const turns = /** @type {Record<string, { warm: number, repeat: number }>} */ ({
  autoencoder: { warm: 40, repeat: 100 },
  srcnn: { warm: 1, repeat: 4 },
  srresnet: { warm: 1, repeat: 3 },
  "srresnet-remat": { warm: 1, repeat: 3 },
  dcgan: { warm: 1, repeat: 4 },
  stylegan2: { warm: 1, repeat: 3 },
  "stylegan2-r1": { warm: 1, repeat: 3 },
});
const names = Object.keys(turns).filter((name) => !only || only.includes(name));
const onlySteps = ["srresnet-remat", "stylegan2-r1"]; // their forward passes are those of others
const rows = [];
/** @type {Record<string, unknown>} */
const facts = {
  cpu: cpus()[0]?.model,
  threads,
  node: process.versions.node,
  date: new Date().toISOString().slice(0, 10),
};

for (const workload of names)
  for (const kind of onlySteps.includes(workload) ? ["step"] : ["step", "inference"]) {
    const ours = open(process.execPath, [here("worker.mjs"), workload, kind, String(threads)]);
    const layouts = workload === "autoencoder" ? ["contiguous"] : ["contiguous", "channels_last"];
    const peers = hasTorch
      ? layouts.map((layout) => ({ layout, process: open(values.python, [here("peer.py")]) }))
      : [];
    const started = await ours.ask({ verb: "load" });
    for (const { process } of peers) {
      const { version, blas } = await process.ask({ verb: "threads", threads });
      Object.assign(facts, { pytorch: version, blas });
    }
    if (facts.blas === "reference" && rows.length === 0)
      log(
        "PyTorch multiplies by the reference BLAS, far from its best (Debian: apt-get install libopenblas0-pthread).",
      );
    /** @type {number[]} */
    const imago = [];
    const torch = /** @type {number[][]} */ (peers.map(() => []));
    const peaks = { imago: 0, pytorch: 0 };
    for (let round = 0; round < rounds; round++) {
      const own = await ours.ask({ verb: "run", ...turns[workload] });
      imago.push(...own.times);
      peaks.imago = own.peakMB;
      for (const [i, { layout, process }] of peers.entries()) {
        const answer = await process.ask({ verb: "run", workload, layout, kind, ...turns[workload] });
        torch[i]?.push(...answer.times);
        if (round === rounds - 1) peaks.pytorch = Math.max(peaks.pytorch, answer.peakMB);
      }
    }
    ours.close();
    for (const { process } of peers) process.close();
    const best = torch.length > 0 ? Math.min(...torch.map(median)) : null;
    const imagoMs = median(imago);
    rows.push({
      workload,
      kind,
      imagoMs,
      pytorchMs: best,
      ratio: best === null ? null : imagoMs / best,
      imagoPeakMB: peaks.imago,
      pytorchPeakMB: hasTorch ? peaks.pytorch : null,
      sessionMs: started.sessionMs,
      firstMs: started.firstMs,
    });
    log(
      `${workload} ${kind}: ${imagoMs.toFixed(2)} ms${best === null ? "" : `, PyTorch ${best.toFixed(2)} ms (${layouts[torch.map(median).indexOf(best)]}), ratio ${(imagoMs / best).toFixed(2)}`}`,
    );
  }

const tiny = open(process.execPath, [here("worker.mjs"), "tiny", "step", String(threads)]);
if (!only || only.includes("overhead")) {
  await tiny.ask({ verb: "load" });
  const { times } = await tiny.ask({ verb: "run", warm: 100, repeat: 500 });
  log(`overhead of a step of a tiny network: ${median(times).toFixed(3)} ms`);
  facts.overheadMs = median(times);
}
tiny.close();

const cell = (/** @type {number | null} */ value, digits = 1) => (value === null ? "–" : value.toFixed(digits));
const table = [
  "| workload | kind | Imago ms | PyTorch ms | ratio | Imago peak MB | PyTorch peak MB | session ms | first run ms |",
  "|---|---|---|---|---|---|---|---|---|",
  ...rows.map(
    (r) =>
      `| ${r.workload} | ${r.kind} | ${cell(r.imagoMs, 2)} | ${cell(r.pytorchMs, 2)} | ${cell(r.ratio, 2)} | ${cell(r.imagoPeakMB, 0)} | ${cell(r.pytorchPeakMB, 0)} | ${cell(r.sessionMs, 0)} | ${cell(r.firstMs, 0)} |`,
  ),
].join("\n");
process.stdout.write(
  `${Object.entries(facts)
    .map(([key, value]) => `${key}: ${value}`)
    .join(" · ")}\n\n${table}\n`,
);
if (values.json)
  writeFileSync(
    values.json,
    `${JSON.stringify(
      rows.map((row) => ({ ...row, ...facts })),
      null,
      2,
    )}\n`,
  );
