import { compileStep, type Tensors } from "../../engine/index.ts";
import { initialWeights } from "../../nn/model.ts";
import { type ProfileOptions, profileStep, type StepProfile } from "../../train/profile.ts";
import { filledAll } from "./bench.ts";
import type { Workload } from "./workload.ts";

/** Profiles the training step of a workload, on numbers that are always the same. */
export function profileWorkload({ step: work }: Workload, options: ProfileOptions): Promise<StepProfile> {
  const { networks, plan, numbers } = work();
  let feeds: Tensors = {};
  return profileStep(
    {
      stage: {
        async compile(runtime, { profile } = {}) {
          const step = await compileStep(plan, { runtime, weights: initialWeights(networks, 1), profile });
          feeds = filledAll(Object.entries(step.inputs));
          return step;
        },
        rate: (step) => numbers(step).learningRate,
        emaDecay: (step) => numbers(step).emaDecay,
      },
      source: { batch: async () => feeds },
    },
    options,
  );
}
