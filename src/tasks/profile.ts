import { z } from "zod";
import { compileStep, type Tensors } from "../engine/index.ts";
import { initialWeights } from "../nn/model.ts";
import { type ProfileOptions, type ProfilePlan, profileStep, type StepProfile } from "../train/profile.ts";
import { filledAll } from "./bench.ts";
import type { Platform, RuntimeChoice } from "./platform.ts";
import { checkOptions } from "./schema.ts";
import type { Workload } from "./workload.ts";

/** How many steps a profile times. */
export const profileSteps = z.int().min(1).max(100_000);
const counted = z.object({ steps: profileSteps });

/** How many steps are timed, what stops it, and who is told how far it is. */
export type ProfileHooks = Pick<ProfileOptions, "steps" | "signal" | "onProgress">;

/** Profiles a training's steps on a runtime of its own. */
export async function profileOn(
  platform: Platform,
  choice: RuntimeChoice,
  plan: ProfilePlan,
  hooks: ProfileHooks,
): Promise<StepProfile> {
  checkOptions(counted, { steps: hooks.steps }, (name) => `profile › ${name}`);
  const runtime = await platform.runtime(choice);
  try {
    return await profileStep(plan, { ...hooks, runtime, peakMB: platform.peakMB });
  } finally {
    await runtime.dispose();
  }
}

/** Profiles the training step of a workload, on numbers that are always the same. */
export function profileWorkload({ step: work }: Workload, options: ProfileOptions): Promise<StepProfile> {
  const { networks, plan, numbers } = work();
  let feeds: Tensors = {};
  return profileStep(
    {
      async prepare(runtime, { profile } = {}) {
        const step = await compileStep(plan, { runtime, weights: initialWeights(networks, 1), profile });
        feeds = filledAll(Object.entries(step.inputs));
        return step;
      },
      source: { batch: async () => feeds },
      schedule: (step) => numbers(step).learningRate,
      emaDecay: (step) => numbers(step).emaDecay ?? 0,
    },
    options,
  );
}
