// @ts-check
// npm run bench -- [--json FILE] [--csv FILE] [--only NAME,…] [--rounds N] [--threads N] [--python FILE] [--peers FOLDER]
// Times training steps and inference against PyTorch in turns, in processes of their own so that peaks of memory count.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { arithmeticOf } from "./arithmetic.mjs";
import { installed, PEER_WORKLOADS, timePeer } from "./peers.mjs";
import { median, open } from "./process.mjs";
import { csv, meansLine, table, VARIANTS } from "./report.mjs";
import { TURNS } from "./turns.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const { values } = parseArgs({
  options: {
    json: { type: "string" },
    csv: { type: "string" },
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
    threads: { type: "string", default: String(availableParallelism()) },
    python: { type: "string", default: "/usr/bin/python3" },
    peers: { type: "string", default: root },
  },
});
const [threads, rounds] = [Number(values.threads), Number(values.rounds)];
const here = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
const log = (/** @type {string} */ text) => process.stderr.write(`${text}\n`);

const OVERHEAD = "overhead";

/** @type {string[]} */
const asked = values.only?.split(",") ?? [...Object.keys(TURNS), OVERHEAD];
const unknown = asked.find((name) => name !== OVERHEAD && !(name in TURNS));
if (unknown !== undefined) {
  log(`--only: expected some of ${[...Object.keys(TURNS), OVERHEAD].join(", ")}, got ${unknown}.`);
  process.exit(2);
}
const hasTorch = spawnSync(values.python, ["-c", "import torch"]).status === 0;
if (!hasTorch)
  log(
    `${values.python} has no PyTorch: its columns stay empty (Debian: apt-get install python3-torch libopenblas0-pthread).`,
  );
const libraries = installed(values.peers);
/** What stands in every row. @type {Record<string, unknown>} */
const facts = {
  version: JSON.parse(readFileSync(`${root}package.json`, "utf8")).version,
  cpu: cpus()[0]?.model,
  threads,
  node: process.versions.node,
  date: new Date().toISOString().slice(0, 10),
  ...libraries,
};

/** The processes of PyTorch, one a memory layout. @param {string} workload */
async function openTorch(workload) {
  const layouts = workload === "autoencoder" ? ["contiguous"] : ["contiguous", "channels_last"];
  const peers = (hasTorch ? layouts : []).map((layout) => ({
    layout,
    process: open(values.python, [here("peer.py")]),
  }));
  for (const { process } of peers) {
    const { version, blas } = await process.ask({ verb: "threads", threads });
    if (blas === "reference" && !facts.blas)
      log(
        "PyTorch multiplies by the reference BLAS, far from its best (Debian: apt-get install libopenblas0-pthread).",
      );
    Object.assign(facts, { pytorch: version, blas });
  }
  return peers;
}

/** Imago and PyTorch in turns: medians, and peaks of the whole processes. @param {string} workload @param {string} kind */
async function inTurns(workload, kind) {
  const ours = open(process.execPath, [here("worker.mjs"), workload, kind, String(threads)]);
  const peers = await openTorch(workload);
  const { sessionMs, firstMs } = await ours.ask({ verb: "load" });
  const times = /** @type {number[][]} */ ([]); // by round
  const theirs = /** @type {number[][][]} */ (peers.map(() => []));
  let imagoPeakMB = 0;
  const theirPeaks = /** @type {number[]} */ ([]); // by layout
  for (let round = 0; round < rounds; round++) {
    const own = await ours.ask({ verb: "run", ...TURNS[workload] });
    times.push(own.times);
    imagoPeakMB = own.peakMB;
    for (const [i, { layout, process }] of peers.entries()) {
      const answer = await process.ask({ verb: "run", workload, layout, kind, ...TURNS[workload] });
      theirs[i]?.push(answer.times);
      theirPeaks[i] = answer.peakMB;
    }
  }
  for (const { close } of [ours, ...peers.map(({ process }) => process)]) close();
  const imagoMs = median(times.flat());
  const layouts = theirs.map((rounds) => median(rounds.flat()));
  const measured = { imagoMs, imagoPeakMB, sessionMs, firstMs };
  if (layouts.length === 0) return { ...measured, pytorchMs: null, ratio: null, layout: null, pytorchPeakMB: null };
  const pytorchMs = Math.min(...layouts);
  const best = layouts.indexOf(pytorchMs);
  // Neighbors on a shared machine make everything slower for a while: within a round both sides see the same ones.
  const ratio = median(times.map((own, round) => median(own) / median(theirs[best]?.[round] ?? [])));
  const layout = peers[best]?.layout;
  return { ...measured, pytorchMs, ratio, layout, pytorchPeakMB: theirPeaks[best] ?? null };
}

/** Times of the other JavaScript libraries, null where one is not installed. @param {string} workload @param {string} kind */
async function inJavaScript(workload, kind) {
  /** @type {Record<string, number | null>} */
  const row = { tfjsMs: null, tfjsAtLeastMs: null, jaxMs: null, jaxAtLeastMs: null };
  for (const library of PEER_WORKLOADS.includes(workload) ? Object.keys(libraries) : []) {
    const { ms, atLeastMs } = await timePeer({ library, workload, kind, threads, folder: values.peers });
    Object.assign(row, { [`${library}Ms`]: ms, [`${library}AtLeastMs`]: atLeastMs });
  }
  return row;
}

/** A network that computes next to nothing. */
async function overhead() {
  const tiny = open(process.execPath, [here("worker.mjs"), "tiny", "step", String(threads)]);
  await tiny.ask({ verb: "load" });
  const { times } = await tiny.ask({ verb: "run", warm: 100, repeat: 500 });
  tiny.close();
  log(`overhead of a step of a tiny network: ${median(times).toFixed(3)} ms`);
  return median(times);
}

const measured = [];
for (const workload of Object.keys(TURNS).filter((name) => asked.includes(name)))
  for (const kind of VARIANTS.includes(workload) ? ["step"] : ["step", "inference"]) {
    const times = await inTurns(workload, kind);
    const arithmeticMs = arithmeticOf({ workload, kind, threads });
    const row = { workload, kind, ...times, arithmeticMs, ...(await inJavaScript(workload, kind)) };
    const { imagoMs, pytorchMs, ratio, layout } = row;
    const peer =
      pytorchMs === null ? "" : `, PyTorch ${pytorchMs.toFixed(2)} ms (${layout}), ratio ${ratio?.toFixed(2)}`;
    log(`${workload} ${kind}: ${imagoMs.toFixed(2)} ms${peer}`);
    measured.push(row);
  }
if (asked.includes(OVERHEAD)) facts.overheadMs = await overhead();

const rows = measured.map((row) => ({ ...row, ...facts }));
const said = Object.entries(facts).map(([key, value]) => `${key}: ${value}`);
process.stdout.write(`${said.join(" · ")}\n\n${table(rows)}\n\n${meansLine(rows)}\n`);
if (values.json) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
if (values.csv) writeFileSync(values.csv, csv(rows));
