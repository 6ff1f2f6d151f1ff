// @ts-check
// Other JavaScript libraries beside Imago: tfjs infers on wasm and trains on its cpu backend (wasm has no gradients of
// convolutions), jax-js does both on wasm. A process of its own for each, stopped after a minute.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { median } from "./process.mjs";

/** What each needs, and what it has been written for in peerWorker.mjs. */
export const LIBRARIES = /** @type {const} */ ({
  tfjs: ["@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm"],
  jax: ["@jax-js/jax"],
});
export const PEER_WORKLOADS = ["autoencoder", "srcnn"];
const LIMIT_MS = 60_000;

/** @typedef {{ ms: number | null, atLeastMs: number | null }} PeerTime */

/**
 * The libraries that are installed in a folder, with their versions.
 * @param {string} folder @returns {Record<string, string>}
 */
export function installed(folder) {
  const need = createRequire(join(folder, "/"));
  const found = Object.entries(LIBRARIES).flatMap(([library, packages]) => {
    try {
      for (const name of packages) need.resolve(name);
      const file = need.resolve(packages[0]).replace(/(node_modules\/(?:@[^/]+\/)?[^/]+)\/.*/, "$1/package.json");
      return [[library, /** @type {string} */ (need(file).version)]];
    } catch {
      return [];
    }
  });
  return Object.fromEntries(found);
}

/**
 * Times one workload in one library: the median of its runs after the first, or of how long at least a run takes.
 * @param {{ library: string, workload: string, kind: string, threads: number, folder: string }} asked
 * @returns {Promise<PeerTime>}
 */
export function timePeer({ library, workload, kind, threads, folder }) {
  const worker = new URL("peerWorker.mjs", import.meta.url).pathname;
  const child = spawn(process.execPath, [worker, library, workload, kind, String(threads), folder], {
    stdio: ["ignore", "pipe", "ignore"], // tfjs advertises
  });
  /** @type {number[]} */
  const times = [];
  createInterface({ input: child.stdout }).on("line", (line) => times.push(Number(line)));
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    child.on("close", (_code, signal) => {
      clearTimeout(timer);
      const isLate = times.length === 0 && signal === "SIGKILL";
      const counted = times.length > 1 ? times.slice(1) : times;
      resolve({ ms: counted.length > 0 ? median(counted) : null, atLeastMs: isLate ? LIMIT_MS : null });
    });
  });
}
