import { z } from "zod";
import { compileFunction, compileStep, inputsOf, type Runtime } from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import { initialWeights } from "../../nn/model.ts";
import { random } from "../../tensor/random.ts";
import { type Shape, sizeOf, type Tensor, tensor } from "../../tensor/tensor.ts";
import { defineTask, type Progress } from "../common/task.ts";
import type { Workload } from "./workload.ts";
import { workloads } from "./workloads.ts";

export const benchKinds = ["step", "inference"] as const;
export type BenchKind = (typeof benchKinds)[number];

export const benchOptions = z.object({
  only: z
    .array(z.enum(workloads.map(({ name }) => name) as [string, ...string[]]))
    .optional()
    .describe("workloads to time; all unless given"),
  rounds: z.int().min(1).max(10_000).default(10).describe("runs of each that count, after three that do not"),
});

/** One line of a bench. Times in milliseconds. */
export interface BenchRow {
  readonly workload: string;
  readonly kind: BenchKind;
  /** Median of the runs that count. */
  readonly ms: number;
  readonly worstMs: number;
  /** Building the graph and loading it. */
  readonly sessionMs: number;
  readonly firstMs: number;
}

/** A workload, loaded: each call of `run` is one step or one forward pass. */
export interface OpenWorkload {
  readonly sessionMs: number;
  run(): Promise<void>;
  dispose(): Promise<void>;
}

const filled = (shape: Shape): Tensor => {
  const source = random(1, "bench");
  return tensor(Float32Array.from({ length: sizeOf(shape) }, source.uniform), shape);
};

/** Seeded numbers in 0…1 for inputs by name. */
export const filledAll = (shapes: readonly (readonly [name: string, shape: Shape])[]): Record<string, Tensor> =>
  Object.fromEntries(shapes.map(([name, shape]) => [name, filled(shape)]));

async function openStep({ step: work }: Workload, runtime: Runtime): Promise<Omit<OpenWorkload, "sessionMs">> {
  const { networks, plan, numbers } = work();
  const step = await compileStep(plan, { runtime, weights: initialWeights(networks, 1) });
  const feeds = filledAll(Object.entries(step.inputs));
  let count = 0;
  return { run: async () => void (await step.run(feeds, numbers(++count))), dispose: step.dispose };
}

async function openForward({ name, forward }: Workload, runtime: Runtime): Promise<Omit<OpenWorkload, "sessionMs">> {
  if (!forward) throw userError(name, "expected a workload with a forward pass of its own");
  const { network, output } = forward();
  const leaves = inputsOf([output]);
  const { run, dispose } = await compileFunction({ output }, { runtime, weights: initialWeights([network], 1) });
  const feeds = filledAll(leaves.map(({ attributes, shape }) => [attributes.name, shape]));
  return { run: async () => void (await run(feeds)), dispose };
}

/** Loads a workload's training step or its forward pass. */
export async function openWorkload(workload: Workload, kind: BenchKind, runtime: Runtime): Promise<OpenWorkload> {
  const start = performance.now();
  const opened = await (kind === "step" ? openStep : openForward)(workload, runtime);
  return { ...opened, sessionMs: performance.now() - start };
}

/** Those named; all when none are. */
export const chosenWorkloads = (only: readonly string[] | undefined): readonly Workload[] =>
  workloads.filter(({ name }) => only?.includes(name) ?? true);

const kindsOf = ({ forward }: Workload): readonly BenchKind[] =>
  benchKinds.filter((kind) => kind === "step" || forward);

const timed = async (run: () => Promise<void>): Promise<number> => {
  const start = performance.now();
  await run();
  return performance.now() - start;
};

/** Times workloads on a runtime, one row at a time. */
export async function* bench(
  options: z.input<typeof benchOptions>,
  runtime: Runtime,
  signal?: AbortSignal,
): AsyncGenerator<BenchRow> {
  const { only, rounds } = benchOptions.parse(options);
  for (const workload of chosenWorkloads(only))
    for (const kind of kindsOf(workload)) {
      const opened = await openWorkload(workload, kind, runtime);
      const firstMs = await timed(opened.run);
      for (let i = 0; i < 2; i++) await opened.run();
      const times: number[] = [];
      for (let i = 0; i < rounds; i++) {
        signal?.throwIfAborted();
        times.push(await timed(opened.run));
      }
      await opened.dispose();
      times.sort((a, b) => a - b);
      const ms = times[Math.floor(times.length / 2)]!;
      yield { workload: workload.name, kind, ms, worstMs: times.at(-1)!, sessionMs: opened.sessionMs, firstMs };
    }
}

/** The news of one row. */
export interface BenchTick extends Progress {
  readonly row: BenchRow;
}

/** Times every workload that was asked for; ticks are rows. */
export const benchTask = defineTask({
  name: "bench",
  summary: "Time training steps and forward passes on this machine, in milliseconds.",
  takes: "nothing",
  options: benchOptions,
  gives: "figures",
  async *run(_, options, { runtime, signal }): AsyncGenerator<BenchTick, readonly BenchRow[]> {
    const total = chosenWorkloads(options.only).flatMap(kindsOf).length;
    const rows: BenchRow[] = [];
    for await (const row of bench(options, await runtime.get(), signal)) {
      rows.push(row);
      yield { done: rows.length, total, what: `${row.workload} ${row.kind}`, row };
    }
    return rows;
  },
});
