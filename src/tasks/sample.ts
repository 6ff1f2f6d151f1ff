import type { Runtime, Tensors } from "../engine/index.ts";
import { userError } from "../errors.ts";
import type { Picture } from "../image/picture.ts";
import type { Network } from "../nn/model.ts";
import type { Task, Usage, UsageOf } from "../nn/usage.ts";
import type { Alarms } from "../train/alarm.ts";
import type { BestBy } from "../train/best.ts";
import type { DataSource } from "../train/data/source.ts";
import type { MetricLine } from "../train/metrics.ts";
import type { Platform } from "./platform.ts";
import { planClassifySampler } from "./sampleClassify.ts";
import { planGenerateSampler } from "./sampleGenerate.ts";
import { planReconstructSampler } from "./sampleReconstruct.ts";
import { planUpscaleSampler } from "./sampleUpscale.ts";

/** What samples are made of. */
export interface SamplerParts<U extends Usage = Usage> {
  readonly network: Network;
  readonly usage: U;
  readonly checked: {
    readonly data: readonly string[];
    readonly validate?: string;
    readonly cell?: number;
    readonly seed: number;
    /** A classifier. */
    readonly judge?: string;
    readonly keepBest?: "kid" | "fid";
  };
  /** What is learned from. */
  readonly source: DataSource;
}

/** What training shows while it runs. */
export interface Sampler {
  sample?(weights: Tensors, step: number): Promise<Picture>;
  /** Numbers on pictures that are not learned from. */
  evaluate?(weights: Tensors, step: number): Promise<Readonly<Record<string, number>>>;
  /** What looks wrong by the metrics so far. */
  watch?(lines: readonly MetricLine[]): Alarms;
  /** The evaluation by which the best weights are kept. */
  readonly best?: BestBy;
}

export type SamplerFor = (runtime: Runtime) => Sampler;

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
