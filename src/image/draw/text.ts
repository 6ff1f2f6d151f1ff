import type { Contour, Point } from "./coverage.ts";
import { outlines } from "./font.ts";

/** One letter in ems: how far the next one stands, and its closed outlines, y downwards from the baseline. */
interface Glyph {
  readonly advance: number;
  readonly contours: readonly Contour[];
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const unitsPerEm = 1000;
const curveSteps = 6;

/** Height of capital letters and of the digits, in ems. */
export const capHeight = 0.711;

const curve = ([x0, y0]: Point, [cx, cy]: Point, [x1, y1]: Point): readonly Point[] =>
  Array.from({ length: curveSteps }, (_, i) => {
    const t = (i + 1) / curveSteps;
    const [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t * t];
    return [a * x0 + b * cx + c * x1, a * y0 + b * cy + c * y1] as const;
  });

const decode = (code: string): Glyph => {
  const numberAt = (i: number) => (digits.indexOf(code[i]!) * 64 + digits.indexOf(code[i + 1]!) - 2048) / unitsPerEm;
  const contours: Point[][] = [];
  let here: Point = [0, 0];
  const step = (i: number, from: Point): Point => [from[0] + numberAt(i), from[1] + numberAt(i + 2)];
  for (let i = 2; i < code.length; ) {
    const kind = code[i];
    if (kind === "m") contours.push([]);
    const first = step(i + 1, here);
    const end = kind === "q" ? step(i + 5, first) : first;
    contours.at(-1)!.push(...(kind === "q" ? curve(here, first, end) : [end]));
    here = end;
    i += kind === "q" ? 9 : 5;
  }
  return { advance: numberAt(0), contours };
};

const cache = new Map<string, Glyph>();

/** The glyph of a letter; letters that the font does not have are drawn as a question mark. */
const glyphOf = (letter: string): Glyph => {
  const known = cache.get(letter);
  if (known) return known;
  const glyph = decode(outlines[letter] ?? outlines["?"]!);
  cache.set(letter, glyph);
  return glyph;
};

/** The width of a line of text in pixels, `size` pixels per em. */
export const textWidth = (text: string, size: number): number =>
  Array.from(text).reduce((sum, letter) => sum + glyphOf(letter).advance * size, 0);

/** The outlines of a line of text, its baseline starting at `origin`. */
export const textContours = (text: string, size: number, [x, y]: Point): readonly Contour[] => {
  let pen = x;
  return Array.from(text).flatMap((letter) => {
    const { advance, contours } = glyphOf(letter);
    const placed = contours.map((contour) => contour.map(([u, v]) => [pen + u * size, y + v * size] as const));
    pen += advance * size;
    return placed;
  });
};

/** The text cut with an ellipsis so that it is at most `width` pixels wide. */
export const fitText = (text: string, size: number, width: number): string => {
  if (textWidth(text, size) <= width) return text;
  const letters = Array.from(text);
  while (letters.length > 0 && textWidth(`${letters.join("")}…`, size) > width) letters.pop();
  return `${letters.join("")}…`;
};
