/**
 * The learning rate of a step; steps count from 1 to `steps`. Schedules are plain functions of the step, so resuming
 * needs no state.
 */
export type Schedule = (step: number) => number;

/** The same rate throughout. */
export const constantRate =
  (rate: number): Schedule =>
  () =>
    rate;

/** Multiplied by `factor` after each of the given steps. */
export const stepRate =
  (rate: number, { after, factor = 0.1 }: { readonly after: readonly number[]; readonly factor?: number }): Schedule =>
  (step) =>
    rate * factor ** after.filter((milestone) => step > milestone).length;

/**
 * Half a cosine from `rate` at step 1 to `end` at step `steps`. Loshchilov & Hutter 2017,
 * https://arxiv.org/abs/1608.03983, eq. 5 without restarts.
 */
export const cosineRate =
  (rate: number, { steps, end = 0 }: { readonly steps: number; readonly end?: number }): Schedule =>
  (step) => {
    const done = Math.min(1, (step - 1) / Math.max(1, steps - 1));
    return end + 0.5 * (rate - end) * (1 + Math.cos(Math.PI * done));
  };

/** Constant up to step `from`, then a straight line to 0 at step `steps` (CycleGAN's second half). */
export const linearDecay =
  (rate: number, { from, steps }: { readonly from: number; readonly steps: number }): Schedule =>
  (step) =>
    rate * Math.min(1, Math.max(0, (steps - step) / Math.max(1, steps - from)));

/** Rises in a straight line over the first `steps` steps, then follows `schedule`. */
export const warmUp =
  (schedule: Schedule, { steps }: { readonly steps: number }): Schedule =>
  (step) =>
    schedule(step) * Math.min(1, step / steps);
