import type { Runtime, Tensors } from "../engine/index.ts";
import type { Picture } from "../image/picture.ts";
import type { Network } from "../nn/model.ts";
import type { Task, Usage, UsageOf } from "../nn/usage.ts";
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
  };
}

/** What training shows while it runs. */
export interface Sampler {
  sample?(weights: Tensors, step: number): Promise<Picture>;
  /** Numbers on pictures that are not learned from. */
  evaluate?(weights: Tensors, step: number): Promise<Readonly<Record<string, number>>>;
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
export const planSampler = (parts: SamplerParts, platform: Platform): Promise<SamplerFor> =>
  (plans[parts.usage.task] as (parts: SamplerParts, platform: Platform) => Promise<SamplerFor>)(parts, platform);
