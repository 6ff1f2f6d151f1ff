import type { DataSource } from "../../data/source.ts";
import type { Runtime, Tensors } from "../../engine/index.ts";
import type { Picture } from "../../image/picture.ts";
import type { Network } from "../../nn/model.ts";
import type { Use } from "../../nn/use.ts";
import type { BestBy } from "../../train/bestKeeper.ts";
import type { Alarms } from "../../train/ganAlarms.ts";
import type { MetricLine } from "../../train/metricLines.ts";

/** What a use is watched by: the network in training and the data to try it on. */
export interface WatchParts<U extends Use = Use> {
  readonly network: Network;
  readonly usage: U;
  readonly options: {
    readonly data: readonly string[];
    readonly validate?: string;
    readonly cell?: number;
    readonly seed: number;
    /** A classifier. */
    readonly judge?: string;
  };
  /** What is learned from. */
  readonly source: DataSource;
  /** The figure by which the best weights are kept, where they are. */
  readonly figure?: Figure;
}

/** A number that evaluations of a network give, and which of two is better. */
export interface Figure {
  readonly name: string;
  readonly isHigherBetter: boolean;
}

/** What training shows while it runs. */
export interface Watcher {
  sample?(weights: Tensors, step: number): Promise<Picture>;
  /** Numbers on pictures that are not learned from. */
  evaluate?(weights: Tensors, step: number): Promise<Readonly<Record<string, number>>>;
  /** What looks wrong by the metrics so far. */
  watch?(lines: readonly MetricLine[]): Alarms;
  /** The evaluation by which the best weights are kept. */
  readonly best?: BestBy;
}

export type WatcherFor = (runtime: Runtime) => Watcher;

/**
 * Keeps the best weights by a figure, where one was chosen.
 * @param by what it is measured on: figures compare on the same alone
 */
export const keptBy = (figure: Figure | undefined, by: string): Pick<Watcher, "best"> =>
  figure ? { best: { ...figure, by } } : {};

/** The data set to judge by: another one where it was given, else the held-out part of the one that is learned from. */
export const heldOut = ({ data, validate, cell }: WatchParts["options"]) => ({
  data: validate === undefined ? data : [validate],
  cell,
});
