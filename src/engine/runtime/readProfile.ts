import type { OnnxNode } from "../onnx/emitter.ts";
import type { KernelTime, RunTime } from "./runtime.ts";

/** An event of ONNX Runtime's profile, as far as it is read; times in microseconds. */
interface Event {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

/** Scopes of nodes by their names and by those of their outputs: a fused node keeps one of its parts'. */
function scopesOf(nodes: readonly OnnxNode[]): (event: string) => string | undefined {
  const scopes = new Map<string, string>();
  for (const { name, op, outputs } of nodes) {
    const scope = name.slice(0, name.lastIndexOf(` › ${op} `));
    for (const key of [name, ...outputs]) scopes.set(key, scope);
  }
  return (event) => {
    const name = event.replace(/_kernel_time$/, "");
    return scopes.get(name) ?? scopes.get(/%\d+/.exec(name)?.[0] ?? "");
  };
}

/**
 * Kernels that the runtime put in before the one that needs them, or after the one whose output they turn, are counted
 * to it.
 */
function placed(events: readonly Event[], scopeOf: (event: string) => string | undefined): KernelTime[] {
  const known = events.map(({ name }) => scopeOf(name));
  const before = (at: number) => known.slice(0, at).findLast((scope) => scope !== undefined);
  const after = (at: number) => known.slice(at + 1).find((scope) => scope !== undefined);
  return events.map(({ dur, args }, at) => {
    const op = args?.op_name ?? "";
    const near = op === "ReorderOutput" ? (before(at) ?? after(at)) : (after(at) ?? before(at));
    return { scope: known[at] ?? near ?? "", op, ms: dur / 1000 };
  });
}

/**
 * Reads the profile that ONNX Runtime wrote of a session: a list of events, those of a run's kernels before the run's
 * own.
 * @param nodes the model's nodes, whose names begin with their scopes
 */
export function readProfile(text: string, nodes: readonly OnnxNode[]): RunTime[] {
  const scopeOf = scopesOf(nodes);
  const runs: RunTime[] = [];
  let kernels: Event[] = [];
  for (const event of JSON.parse(text) as readonly Event[]) {
    if (event.cat === "Node") kernels.push(event);
    if (event.name !== "model_run") continue;
    runs.push({ ms: event.dur / 1000, kernels: placed(kernels, scopeOf) });
    kernels = [];
  }
  return runs;
}
