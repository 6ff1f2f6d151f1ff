/** Speed over the last steps. */
export interface Pace {
  /** One step is done: its pictures, and the seconds it waited for them. */
  step(pictures: number, waited: number): void;
  readonly picturesPerSecond: number;
  readonly secondsPerStep: number;
  /** Share of the time spent waiting for data, 0…1. */
  readonly waiting: number;
}

interface Mark {
  readonly at: number;
  readonly pictures: number;
  readonly waited: number;
}

const ratio = (a: number, b: number): number => (b > 0 ? a / b : 0);

/**
 * Looks back over `span` steps; the first step, which warms up, counts only while there is no other. Zero before any.
 */
export function startPace(now: () => number, span = 64): Pace {
  const start: Mark = { at: now(), pictures: 0, waited: 0 };
  const marks: Mark[] = [];
  const past = () => {
    const [first = start] = marks.length > 1 ? marks : [start];
    const steps = marks.length > 1 ? marks.slice(1) : marks;
    const seconds = ((marks.at(-1)?.at ?? start.at) - first.at) / 1000;
    const total = (key: "pictures" | "waited"): number => steps.reduce((sum, mark) => sum + mark[key], 0);
    return { seconds, steps: steps.length, total };
  };
  return {
    step(pictures, waited) {
      marks.push({ at: now(), pictures, waited });
      if (marks.length > span + 1) marks.shift();
    },
    get picturesPerSecond() {
      const { seconds, total } = past();
      return ratio(total("pictures"), seconds);
    },
    get secondsPerStep() {
      const { seconds, steps } = past();
      return ratio(seconds, steps);
    },
    get waiting() {
      const { seconds, total } = past();
      return Math.min(1, ratio(total("waited"), seconds));
    },
  };
}
