import { prefetch } from "../data/prefetch.ts";
import type { DataSource } from "../data/source.ts";
import { type Profile, profileOf, type Runtime, type Step } from "../engine/index.ts";
import type { FitPlan } from "./fit.ts";
import type { RunStage } from "./stages.ts";

/** Steps that do not count: the first ones fill caches and buffers. */
const WARM = 3;
/** The most steps that are taken with the profiler on; each adds an event per kernel to its file. */
const MOST = 20;

/** What is profiled: a training without its run. */
export interface ProfilePlan extends Pick<FitPlan, "depth"> {
  readonly stage: Pick<RunStage, "compile" | "rate" | "emaDecay">;
  readonly source: Pick<DataSource, "batch">;
}

export interface ProfileOptions {
  readonly runtime: Runtime;
  /** Steps that are timed. */
  readonly steps: number;
  /** Peak of this process's memory so far, in MB. */
  peakMB(): number;
  readonly signal?: AbortSignal;
  /** Told after each step, those included that do not count. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Milliseconds from any origin. */
  readonly now?: () => number;
}

/** Where the time of a training's step goes. Times in milliseconds; a step is counted with the wait for its data. */
export interface StepProfile {
  /** Steps timed as they are, after three that do not count. */
  readonly steps: number;
  readonly medianMs: number;
  readonly worstMs: number;
  /** Share of these steps spent waiting for data, 0…1. */
  readonly waiting: number;
  /** Peak of the process's memory after them, in MB. */
  readonly peakMB: number;
  /** Further steps, with the profiler on: what a step takes on average, and its parts, which add up to it. */
  readonly profiled: {
    readonly ms: number;
    /** In the runtime, by layer, phase and operation. */
    readonly runtime: Profile;
    /** Waiting for data, the making of batches included that holds the loop up. */
    readonly waitingMs: number;
    /** What is left: noise, copies, messages, and what else keeps the loop's thread from the next step. */
    readonly aroundMs: number;
  };
}

interface Timed {
  /** The whole step. */
  readonly ms: number;
  readonly waitedMs: number;
}

const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;

/** Takes steps from the first one on and times those that count. */
async function timeSteps(plan: ProfilePlan, step: Step, steps: number, options: ProfileOptions): Promise<Timed[]> {
  const { signal, onProgress, now = () => performance.now() } = options;
  const timed: Timed[] = [];
  for await (const batch of prefetch(plan.source, { from: 1, to: WARM + steps, depth: plan.depth, signal, now })) {
    const start = now();
    const numbers = { learningRate: plan.stage.rate(batch.step), emaDecay: plan.stage.emaDecay(batch.step) };
    await step.run(batch.tensors, { step: batch.step, ...numbers });
    const waitedMs = batch.waited * 1000;
    timed.push({ ms: now() - start + waitedMs, waitedMs });
    onProgress?.(timed.length, WARM + steps);
  }
  signal?.throwIfAborted();
  return timed.slice(WARM);
}

/** Compiles a step, uses it and disposes it. */
async function withStep<T>(plan: ProfilePlan, runtime: Runtime, profile: boolean, use: (step: Step) => Promise<T>) {
  const step = await plan.stage.compile(runtime, { profile });
  try {
    return await use(step);
  } finally {
    await step.dispose();
  }
}

async function profileSteps(plan: ProfilePlan, options: ProfileOptions): Promise<StepProfile["profiled"]> {
  return withStep(plan, options.runtime, true, async (step) => {
    const timed = await timeSteps(plan, step, Math.min(options.steps, MOST), options);
    const runs = await step.profile!();
    const runtime = profileOf(runs.slice(WARM));
    const [ms, waitingMs] = [mean(timed.map((one) => one.ms)), mean(timed.map(({ waitedMs }) => waitedMs))];
    return { ms, runtime, waitingMs, aroundMs: ms - runtime.ms - waitingMs };
  });
}

/**
 * Times steps of a training from its first weights, first as they are and then with the runtime's profiler on. Nothing
 * is kept. Throws the signal's reason when it aborts.
 */
export async function profileStep(plan: ProfilePlan, options: ProfileOptions): Promise<StepProfile> {
  const timed = await withStep(plan, options.runtime, false, (step) => timeSteps(plan, step, options.steps, options));
  const peakMB = options.peakMB(); // of one session, not of two
  const times = timed.map(({ ms }) => ms).sort((a, b) => a - b);
  return {
    steps: times.length,
    medianMs: times[Math.floor(times.length / 2)]!,
    worstMs: times.at(-1)!,
    waiting: mean(timed.map(({ waitedMs }) => waitedMs)) / mean(times),
    peakMB,
    profiled: await profileSteps(plan, options),
  };
}
