import { normOf } from "../engine/index.ts";
import { pictureGrid } from "../image/draw/grid.ts";
import { lineChart, type Series } from "../image/draw/lineChart.ts";
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
  /** What looks wrong at this evaluation, by kind. */
  readonly alarms?: Readonly<Record<string, string>>;
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

/** Which panel of the curve a number belongs in: they have nothing in common but the steps. */
const panelOf = (name: string): string => {
  if (name.startsWith(normOf(""))) return "gradient norm";
  return shares.includes(name) ? "share" : "loss";
};
const shares = ["accuracy", "diversity"];
const panels = ["loss", "gradient norm", "share"] as const;

/**
 * The losses over the steps, and below them what else there is: gradient norms, shares of one; undefined before the
 * first line. A log axis where all numbers are above zero.
 */
export function drawLosses(lines: readonly MetricLine[], title: string): Picture | undefined {
  if (!lines.some(({ losses }) => losses)) return undefined;
  const all = lines.map(({ step, losses, evaluation }) => ({ step, values: { ...pick(evaluation), ...losses } }));
  const names = [...new Set(all.flatMap(({ values }) => Object.keys(values)))];
  const series: Series[] = names.map((name) => ({
    label: name.replace(normOf(""), ""),
    points: all.flatMap(({ step, values }) => (name in values ? [[step, values[name]!] as const] : [])),
  }));
  const groups = panels
    .map((yLabel) => ({ yLabel, series: series.filter((_, i) => panelOf(names[i]!) === yLabel) }))
    .filter(({ series }) => series.some(({ points }) => points.some(([, value]) => Number.isFinite(value))));
  const height = groups.length > 1 ? 360 : 540;
  const charts = groups.map(({ yLabel, series }, i) => {
    const isLog = yLabel !== "share" && series.every(({ points }) => points.every(([, value]) => value > 0));
    return lineChart({ series, yLabel, isLog, height, ...(i === 0 && { title }), xLabel: "step" });
  });
  return charts.length > 0 ? pictureGrid(charts, { columns: 1, gap: 0 }) : undefined;
}

/** Of an evaluation what is drawn among the numbers of the steps. */
const pick = (evaluation: MetricLine["evaluation"] = {}): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(evaluation).filter(([name]) => name === "diversity"));
