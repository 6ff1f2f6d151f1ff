import { expect, test } from "vitest";
import { type RunTime, referenceRuntime, type Step } from "../../src/engine/index.ts";
import { type ProfilePlan, profileStep } from "../../src/train/profile.ts";

/** A step whose runs last as long as given, on a clock of its own; making a batch takes 1 ms of the loop's thread. */
function clocked(durations: readonly number[]) {
  let time = 0;
  let peak = 100;
  const compiled: boolean[] = [];
  const disposed: boolean[] = [];
  const seen: (readonly [step: number, rate: unknown, decay: unknown])[] = [];
  const run = (ms: number): RunTime => ({ ms, kernels: [{ scope: "net › conv2d", op: "Conv", ms: ms / 2 }] });
  const plan: ProfilePlan = {
    stage: {
      async compile(_, { profile = false } = {}) {
        compiled.push(profile);
        const runs: RunTime[] = [];
        const step: Pick<Step, "run" | "profile" | "dispose"> = {
          async run(_, { step, learningRate, emaDecay }) {
            seen.push([step, learningRate, emaDecay]);
            await new Promise((resolve) => setTimeout(resolve, 2)); // the next batches are made meanwhile
            time += durations[step - 1]! + 2;
            runs.push(run(durations[step - 1]!));
            return { losses: {}, shown: {} };
          },
          profile: async () => runs,
          dispose: async () => void disposed.push(profile),
        };
        peak += 50;
        return step as Step;
      },
      rate: (step) => step / 10,
      emaDecay: (step) => step / 100,
    },
    source: {
      async batch() {
        time += 1;
        return {};
      },
    },
  };
  return { plan, compiled, disposed, seen, now: () => time, peakMB: () => peak };
}

test("times steps as they are, then with the profiler; the parts of a step add up to it", async () => {
  const clock = clocked([900, 800, 700, 10, 30, 20, 10]);
  const told: number[] = [];
  const { now, peakMB } = clock;
  const options = { runtime: referenceRuntime(), steps: 4, now, peakMB, onProgress: (done: number) => told.push(done) };
  const profile = await profileStep(clock.plan, options);
  expect(clock.compiled).toEqual([false, true]);
  expect(clock.disposed).toEqual([false, true]);
  expect(clock.seen.slice(0, 7).map(([step]) => step)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(clock.seen[4]).toEqual([5, 0.5, 0.05]);
  expect(told).toEqual([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7]);
  expect(profile).toMatchObject({ steps: 4, worstMs: 33, peakMB: 150, waiting: 0 }); // a batch was made within the step of 32
  expect(profile.medianMs).toBeGreaterThanOrEqual(12);
  const { ms, runtime, waitingMs, aroundMs } = profile.profiled;
  expect(runtime).toMatchObject({ runs: 4, ms: 17.5 });
  expect(runtime.rows).toEqual([{ path: "net", phase: "forward", kind: "arithmetic", op: "Conv", ms: 8.75 }]);
  expect(runtime.ms + waitingMs + aroundMs).toBeCloseTo(ms, 9);
});

test("an abort ends it with the signal's reason", async () => {
  const clock = clocked([1, 1, 1, 1, 1, 1, 1]);
  const end = new AbortController();
  const onProgress = (done: number) => done === 2 && end.abort();
  const { now, peakMB } = clock;
  const options = { runtime: referenceRuntime(), steps: 4, now, peakMB, onProgress, signal: end.signal };
  await expect(profileStep(clock.plan, options)).rejects.toThrow(/abort/);
  expect(clock.disposed).toEqual([false]);
});
