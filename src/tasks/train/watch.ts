import { userError } from "../../errors.ts";
import type { Task, UsageOf } from "../../nn/usage.ts";
import type { Platform } from "../../platform/platform.ts";
import { planClassifySampler } from "../classify/watch.ts";
import type { SamplerFor, SamplerParts } from "../common/watching.ts";
import { planGenerateSampler } from "../generate/watch.ts";
import { planReconstructSampler } from "../reconstruct/watch.ts";
import { planUpscaleSampler } from "../upscale/watch.ts";

type Plans = { readonly [T in Task]: (parts: SamplerParts<UsageOf<T>>, platform: Platform) => Promise<SamplerFor> };

const plans: Plans = {
  upscale: planUpscaleSampler,
  reconstruct: planReconstructSampler,
  generate: planGenerateSampler,
  classify: planClassifySampler,
  discriminate: async () => () => ({}),
  embed: async () => () => ({}),
};

/** Prepares what a network's task is judged by. Whatever is wrong with the data shows here, before anything is written. */
export async function planSampler(parts: SamplerParts, platform: Platform): Promise<SamplerFor> {
  const { usage, checked } = parts;
  const wrong = (["judge", "keepBest"] as const).find((option) => checked[option] !== undefined);
  if (wrong && usage.task !== "generate")
    throw userError(wrong, "expected none with this recipe, which trains no generator", "Leave it out.");
  return (plans[usage.task] as (parts: SamplerParts, platform: Platform) => Promise<SamplerFor>)(parts, platform);
}
