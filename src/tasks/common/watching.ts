import type { DataSource } from "../../data/source.ts";
import type { Runtime, Tensors } from "../../engine/index.ts";
import type { Picture } from "../../image/picture.ts";
import type { Network } from "../../nn/model.ts";
import type { Usage } from "../../nn/usage.ts";
import type { BestBy } from "../../train/bestKeeper.ts";
import type { Alarms } from "../../train/ganAlarms.ts";
import type { MetricLine } from "../../train/metricLines.ts";

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

/** The data set to judge by: another one where it was given, else the held-out part of the one that is learned from. */
export const heldOut = ({ data, validate, cell }: SamplerParts["checked"]) => ({
  data: validate === undefined ? data : [validate],
  cell,
});
