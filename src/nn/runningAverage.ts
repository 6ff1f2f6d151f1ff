import { add, type Carried, mul, type Node, sub } from "../engine/index.ts";

export interface RunningAverage extends Pick<Carried, "parameter" | "from" | "isMean"> {
  /** What the statistic follows, of its shape. */
  readonly toward: Node;
  /** Share of the new value, 0…1. */
  readonly momentum: number;
}

/** A statistic that follows a value: statistic ← statistic + momentum · (toward − statistic), once per forward pass. */
export const runningAverage = ({ toward, momentum, ...rest }: RunningAverage): Carried => ({
  ...rest,
  next: (before) => add(before, mul(sub(toward, before), momentum)),
});
