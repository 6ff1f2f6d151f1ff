// @ts-check
// node bench/arithmetic.mjs NAME THREADS: what the arithmetic of a workload's step takes, in milliseconds, for `arithmeticOf`.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const STEPS = 5;
const here = fileURLToPath(import.meta.url);

/**
 * The limit of a step: how long its convolutions and matrix products alone take in one run, from ONNX Runtime's own profile of
 * a few steps in a process of their own, in milliseconds. Null for inference, which is not profiled.
 * @param {{ workload: string, kind: string, threads: number }} asked @returns {number | null}
 */
export function arithmeticOf({ workload, kind, threads }) {
  if (kind !== "step") return null;
  const { status, stdout } = spawnSync(process.execPath, [here, workload, String(threads)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`the profile of ${workload} ended with ${status}`);
  return Number(stdout);
}

if (process.argv[1] === here) {
  const { createRuntime, profileWorkload, workloads } = await import("imago");
  const [name, threads] = process.argv.slice(2);
  const workload = workloads.find((one) => one.name === name);
  if (!workload) throw new Error(`no workload ${name}`);
  const runtime = createRuntime("cpu", { threads: Number(threads) });
  const { profiled } = await profileWorkload(workload, { runtime, steps: STEPS, peakMB: () => 0 });
  const rows = profiled.runtime.rows.filter(({ kind }) => kind === "arithmetic");
  console.log(rows.reduce((sum, { ms }) => sum + ms, 0));
  await runtime.dispose();
}
