import { type Phase, placeOf } from "../graph/scope.ts";
import { type Kind, kindOf } from "../onnx/kernelKinds.ts";
import type { RunTime } from "../runtime/runtime.ts";

/** What the kernels of one operation take in one layer and phase. */
export interface ProfileRow {
  /** "srresnet/body/3/first"; the network for what moves its weights, "losses" for what belongs to none. */
  readonly path: string;
  readonly phase: Phase;
  /** What moves weights is of a kind of its own, the copies in and out of the flat vector included. */
  readonly kind: Kind | "optimizer";
  /** The runtime's name of the operation. */
  readonly op: string;
  /** Milliseconds per run, the mean. */
  readonly ms: number;
}

/** Where runs spend their time inside the runtime. */
export interface Profile {
  /** Runs that it is the mean of. */
  readonly runs: number;
  /** A run; what its rows leave of it, the runtime spends between kernels. */
  readonly ms: number;
  /** Most time first. */
  readonly rows: readonly ProfileRow[];
}

/** Sums the kernels of runs by layer, phase and operation. */
export function profileOf(runs: readonly RunTime[]): Profile {
  const rows = new Map<string, ProfileRow>();
  for (const { scope, op, ms } of runs.flatMap(({ kernels }) => kernels)) {
    const { path, phase } = placeOf(scope);
    const kind = phase === "update" ? "optimizer" : kindOf(op);
    const key = [path, phase, op].join(" ");
    rows.set(key, { path, phase, kind, op, ms: (rows.get(key)?.ms ?? 0) + ms / runs.length });
  }
  const ms = runs.reduce((total, run) => total + run.ms, 0) / runs.length;
  return { runs: runs.length, ms, rows: [...rows.values()].sort((a, b) => b.ms - a.ms) };
}
