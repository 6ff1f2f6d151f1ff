import type { Canvas, Ink } from "./canvas.ts";

/** What every part of the scene is drawn with; `unit` is the shorter side over 100, so the scene fits any size. */
export interface Scene {
  readonly canvas: Canvas;
  readonly unit: number;
  readonly seed: number;
  readonly random: () => number;
  /** Where the ground begins, in pixels from the top. */
  readonly horizon: number;
}

export type Rgb = readonly [number, number, number];

export const mix = (a: Rgb, b: Rgb, t: number): Rgb => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
];
export const lit = ([r, g, b]: Rgb, factor: number): Ink => [
  Math.min(255, r * factor),
  Math.min(255, g * factor),
  Math.min(255, b * factor),
];
