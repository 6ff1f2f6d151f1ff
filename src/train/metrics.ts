import { lineChart, type Series } from "../image/curve.ts";
import type { Picture } from "../image/picture.ts";

/** One line of metrics.jsonl. */
export interface MetricLine {
  readonly step: number;
  /** Means since the line before. */
  readonly losses?: Readonly<Record<string, number>>;
  readonly learningRate?: number | Readonly<Record<string, number>>;
  readonly picturesPerSecond?: number;
  /** Share of the time spent waiting for data, 0…1. */
  readonly waiting?: number;
  readonly evaluation?: Readonly<Record<string, number>>;
}

const parseLine = (text: string): MetricLine | undefined => {
  try {
    const line = JSON.parse(text) as MetricLine | null;
    return typeof line?.step === "number" ? line : undefined;
  } catch {
    return undefined; // the crash came while it was written
  }
};

/** The lines up to a step; later and broken ones are left out. */
export const linesUpTo = (text: string, step: number): MetricLine[] =>
  text.split("\n").flatMap((line) => {
    const parsed = parseLine(line);
    return parsed && parsed.step <= step ? [parsed] : [];
  });

export const printLines = (lines: readonly MetricLine[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join("");

/** The losses over the steps; undefined before the first line. A log axis where all are above zero. */
export function drawLosses(lines: readonly MetricLine[], title: string): Picture | undefined {
  const logged = lines.filter((line) => line.losses);
  const names = [...new Set(logged.flatMap(({ losses }) => Object.keys(losses!)))];
  const series: Series[] = names.map((label) => ({
    label,
    points: logged.flatMap(({ step, losses }) => (label in losses! ? [[step, losses![label]!] as const] : [])),
  }));
  if (series.length === 0) return undefined;
  const isLog = series.every(({ points }) => points.every(([, value]) => value > 0));
  return lineChart({ series, title, xLabel: "step", yLabel: "loss", isLog });
}
