import { z } from "zod";
import { compileFunction, compileStep, input, type Runtime } from "../engine/index.ts";
import { mse } from "../nn/losses.ts";
import { defineModel, initialWeights, network } from "../nn/model.ts";
import { adam } from "../nn/optimizers.ts";
import { random } from "../tensor/random.ts";
import { type Shape, sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import { type Workload, workloads } from "./workloads.ts";

export const benchKinds = ["step", "inference"] as const;
export type BenchKind = (typeof benchKinds)[number];

export const benchOptions = z.object({
  only: z
    .array(z.enum(workloads.map(({ name }) => name) as [string, ...string[]]))
    .default(workloads.map(({ name }) => name))
    .describe("workloads to time"),
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

const networkOf = ({ name, summary, input: shape, build }: Workload) =>
  network(defineModel({ name, summary, paper: "", options: z.object({}), input: () => shape, build }));

/** Loads a workload's training step (Adam, mean squared error) or its forward pass. */
export async function openWorkload(workload: Workload, kind: BenchKind, runtime: Runtime): Promise<OpenWorkload> {
  const start = performance.now();
  const net = networkOf(workload);
  const x = input("input", workload.input);
  const weights = initialWeights([net], 1);
  const feeds = { input: filled(workload.input), target: filled(workload.target) };
  if (kind === "inference") {
    const { dispose, ...program } = await compileFunction({ output: net(x) }, { runtime, weights });
    const run = async (): Promise<void> => void (await program.run({ input: feeds.input }));
    return { sessionMs: performance.now() - start, run, dispose };
  }
  const loss = mse(net(x, { training: true }), input("target", workload.target));
  const plan = { losses: { [net.key]: loss }, optimizers: { [net.key]: adam() } };
  const step = await compileStep(plan, { runtime, weights });
  let count = 0;
  const run = async (): Promise<void> => void (await step.run(feeds, { step: ++count, learningRate: 1e-4 }));
  return { sessionMs: performance.now() - start, run, dispose: step.dispose };
}

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
  for (const workload of workloads.filter(({ name }) => only.includes(name)))
    for (const kind of benchKinds) {
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
