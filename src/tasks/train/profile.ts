import { z } from "zod";
import { checkOptions } from "../../options/schema.ts";
import type { Platform, RuntimeChoice } from "../../platform/platform.ts";
import { type ProfileOptions, type ProfilePlan, profileStep, type StepProfile } from "../../train/profile.ts";

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
