import { userError } from "../../errors.ts";
import type { Box, Picture } from "../picture.ts";
import {
  type Canvas,
  canvasPicture,
  drawText,
  faded,
  fillBox,
  type Ink,
  ink,
  makeCanvas,
  paletteAt,
  strokeLine,
} from "./canvas.ts";
import type { Point } from "./coverage.ts";
import { capHeight, textWidth } from "./text.ts";

export interface Series {
  readonly label: string;
  /** Points from left to right. Those that are not finite, or not above zero on a log axis, are left out. */
  readonly points: readonly Point[];
}

export interface ChartOptions {
  readonly series: readonly Series[];
  readonly title?: string;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Powers of ten at equal distances upwards. */
  readonly isLog?: boolean;
  readonly width?: number;
  readonly height?: number;
}

/** Numbers along one side: the range shown, the ticks, and the way to a place 0…1. */
interface Axis {
  readonly ticks: readonly number[];
  readonly place: (value: number) => number;
}

const grid: Ink = [230, 232, 236];

/**
 * A line chart, such as a training's loss over its steps, with ticks, labels and a legend. 8-bit RGB on white.
 * @throws UserError for a size without room for a chart
 */
export const lineChart = (options: ChartOptions): Picture => {
  const { width = 960, height = 540, isLog = false, title, xLabel, yLabel } = options;
  const series = options.series.map((one) => ({ ...one, points: one.points.filter((p) => isShown(p, isLog)) }));
  const points = series.flatMap((one) => one.points);
  if (points.length === 0) throw userError("chart", "expected at least one finite point, got none");
  const size = Math.max(12, Math.round(Math.min(width, height * 1.6) / 58));
  const x = linearAxis(points.map(([value]) => value));
  const y = isLog ? logAxis(points.map(([, value]) => value)) : linearAxis(points.map(([, value]) => value));
  const left = size * 2 + Math.max(...y.ticks.map((tick) => textWidth(tickText(tick), size)));
  const top = size * (title ? 5.6 : 3.1);
  const area: Box = {
    x: left,
    y: top,
    width: width - left - size * 2.2,
    height: height - top - size * (xLabel ? 4.6 : 3),
  };
  const canvas = makeCanvas({ width, height });
  if (title) drawText(canvas, title, [size * 1.4, size * 2.6], { size: size * 1.5, maxWidth: width - 3 * size });
  if (yLabel) drawText(canvas, yLabel, [size * 1.4, top - size * 0.95], { size, color: faded });
  if (xLabel)
    drawText(canvas, xLabel, [area.x + area.width / 2, height - size * 1.1], { size, color: faded, align: "middle" });
  drawAxes(canvas, { x, y, area, size });
  series.forEach((one, i) => {
    const placed = one.points.map(
      ([u, v]) => [area.x + x.place(u) * area.width, area.y + (1 - y.place(v)) * area.height] as const,
    );
    strokeLine(canvas, thin(placed), Math.max(1.6, size / 7), paletteAt(i + 1));
  });
  drawLegend(canvas, series, { area, size });
  return canvasPicture(canvas);
};

const isShown = ([x, y]: Point, isLog: boolean): boolean =>
  Number.isFinite(x) && Number.isFinite(y) && (!isLog || y > 0);

/** At most four points per pixel column: first, lowest, highest and last, so that long runs stay quick to draw. */
const thin = (points: readonly Point[]): readonly Point[] => {
  const columns = new Map<number, Point[]>();
  for (const point of points) {
    const column = columns.get(Math.round(point[0])) ?? [];
    if (column.length === 0) columns.set(Math.round(point[0]), column);
    column.push(point);
  }
  return [...columns.values()].flatMap((column) => {
    const byHeight = [...column].sort((a, b) => a[1] - b[1]);
    const kept = new Set([column[0]!, byHeight[0]!, byHeight.at(-1)!, column.at(-1)!]);
    return column.filter((point) => kept.has(point));
  });
};

/** Ticks at 1, 2 or 5 times a power of ten, about six of them. */
const linearAxis = (values: readonly number[]): Axis => {
  const [low, high] = rangeOf(values);
  const raw = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw)!;
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  const [start, end] = [first * step, last * step];
  return { ticks, place: (value) => (value - start) / (end - start) };
};

/** Ticks at powers of ten, with 2 and 5 times them where the range is short. */
const logAxis = (values: readonly number[]): Axis => {
  const [low, high] = rangeOf(values.map(Math.log10));
  const factors = high - low > 3 ? [1] : [1, 2, 5];
  const all: number[] = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++)
    for (const factor of factors) all.push(Number((factor * 10 ** power).toPrecision(3)));
  const from = all.findLastIndex((tick) => Math.log10(tick) <= low + 1e-9);
  const to = all.findIndex((tick) => Math.log10(tick) >= high - 1e-9);
  const ticks = all.slice(Math.max(0, from), to < 0 ? undefined : to + 1);
  const [start, end] = [Math.log10(ticks[0]!), Math.log10(ticks.at(-1)!)];
  return { ticks, place: (value) => (Math.log10(value) - start) / (end - start) };
};

/** Least and greatest; a single value gets some room on both sides. */
const rangeOf = (values: readonly number[]): readonly [number, number] => {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const room = low === high ? Math.abs(low) * 0.1 || 1 : 0;
  return [low - room, high + room];
};

/** Short text of a tick: 0.002, 1.5, 20k, 3M, 1e-7. */
const tickText = (value: number): string => {
  const size = Math.abs(value);
  if (size >= 1e9 || (size > 0 && size < 1e-4)) return value.toExponential().replace("e+", "e");
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(6))}M`;
  return size >= 1e4 ? `${Number((value / 1e3).toPrecision(6))}k` : String(value);
};

interface Frame {
  readonly x: Axis;
  readonly y: Axis;
  readonly area: Box;
  /** Pixels per em. */
  readonly size: number;
}

const drawAxes = (canvas: Canvas, { x, y, area, size }: Frame): void => {
  const bottom = area.y + area.height;
  for (const tick of y.ticks) {
    const at = Math.round(bottom - y.place(tick) * area.height);
    fillBox(canvas, { x: area.x, y: at, width: area.width, height: 1 }, grid);
    drawText(canvas, tickText(tick), [area.x - size * 0.6, at + (size * capHeight) / 2], {
      size,
      color: faded,
      align: "end",
    });
  }
  for (const tick of x.ticks) {
    const at = Math.round(area.x + x.place(tick) * area.width);
    fillBox(canvas, { x: at, y: bottom, width: 1, height: size * 0.4 }, faded);
    drawText(canvas, tickText(tick), [at, bottom + size * 1.5], { size, color: faded, align: "middle" });
  }
  fillBox(canvas, { x: area.x, y: Math.round(bottom), width: area.width, height: 1 }, faded);
};

/** Names and colors in one row above the upper right corner. */
const drawLegend = (canvas: Canvas, series: readonly Series[], { area, size }: Pick<Frame, "area" | "size">): void => {
  const y = area.y - size * 1.3;
  let right = area.x + area.width;
  for (const [i, { label }] of [...series.entries()].reverse()) {
    drawText(canvas, label, [right, y + (size * capHeight) / 2], { size, color: ink, align: "end" });
    right -= textWidth(label, size) + size * 0.6;
    const line = [[right - size * 1.4, y] as const, [right, y] as const];
    strokeLine(canvas, line, Math.max(2, size / 5), paletteAt(i + 1));
    right -= size * 2.8;
  }
};
