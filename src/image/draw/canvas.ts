import { flatten, toDepth } from "../channels.ts";
import { type Box, makePicture, type Picture, type Size } from "../picture.ts";
import { type Contour, cover, type Point } from "./coverage.ts";
import { fitText, textContours, textWidth } from "./text.ts";

/** An sRGB color, 0…255 each. */
export type Ink = readonly [red: number, green: number, blue: number];

/** An 8-bit RGB picture to draw on; the functions below change it. */
export interface Canvas extends Size {
  readonly data: Uint8Array;
}

export const white: Ink = [255, 255, 255];
export const ink: Ink = [28, 31, 38];
export const faded: Ink = [104, 110, 122];

/** Colors that stay apart from each other for most color-blind readers (Okabe and Ito, 2008), reordered. */
export const palette: readonly Ink[] = [
  [213, 94, 0],
  [0, 114, 178],
  [0, 158, 115],
  [204, 121, 167],
  [230, 159, 0],
  [86, 180, 233],
];
export const paletteAt = (i: number): Ink => palette[i % palette.length]!;

export const makeCanvas = ({ width, height }: Size, background: Ink = white): Canvas => {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = background[i % 3]!;
  return { width, height, data };
};

export const canvasPicture = ({ width, height, data }: Canvas): Picture =>
  makePicture({ width, height, channels: 3 }, data);

const whole = ({ width, height }: Size): Box => ({ x: 0, y: 0, width, height });

/** Fills polygons (overlaps count once), anti-aliased; `opacity` 0…1. */
export const fillShape = (canvas: Canvas, contours: readonly Contour[], color: Ink, opacity = 1): void => {
  const coverage = cover(contours, whole(canvas));
  if (!coverage) return;
  const { box, amount } = coverage;
  for (let y = 0, a = 0; y < box.height; y++)
    for (let x = 0; x < box.width; x++, a++) {
      const share = amount[a]! * opacity;
      if (share > 0.002) blend(canvas.data, ((box.y + y) * canvas.width + box.x + x) * 3, color, share);
    }
};

const blend = (data: Uint8Array, i: number, color: Ink, share: number): void => {
  for (let c = 0; c < 3; c++) data[i + c] = Math.round(data[i + c]! + (color[c]! - data[i + c]!) * share);
};

export const fillBox = (canvas: Canvas, { x, y, width, height }: Box, color: Ink, opacity = 1): void =>
  fillShape(
    canvas,
    [
      [
        [x, y],
        [x + width, y],
        [x + width, y + height],
        [x, y + height],
      ],
    ],
    color,
    opacity,
  );

/** A frame that lies around the box, `thickness` pixels outwards. */
export const strokeBox = (canvas: Canvas, { x, y, width, height }: Box, thickness: number, color: Ink): void => {
  const t = thickness;
  fillBox(canvas, { x: x - t, y: y - t, width: width + 2 * t, height: t }, color);
  fillBox(canvas, { x: x - t, y: y + height, width: width + 2 * t, height: t }, color);
  fillBox(canvas, { x: x - t, y, width: t, height }, color);
  fillBox(canvas, { x: x + width, y, width: t, height }, color);
};

const roundSteps = 16;
const disk = ([x, y]: Point, radius: number): Contour =>
  Array.from({ length: roundSteps }, (_, i) => {
    const angle = (2 * Math.PI * i) / roundSteps;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)] as const;
  });

export const fillDisk = (canvas: Canvas, center: Point, radius: number, color: Ink): void =>
  fillShape(canvas, [disk(center, radius)], color);

/** A line through the points with round corners and ends. */
export const strokeLine = (canvas: Canvas, points: readonly Point[], thickness: number, color: Ink): void => {
  const r = thickness / 2;
  const pieces = points.slice(1).map(([x1, y1], i): Contour => {
    const [x0, y0] = points[i]!;
    const length = Math.hypot(x1 - x0, y1 - y0) || 1;
    const [nx, ny] = [(-(y1 - y0) / length) * r, ((x1 - x0) / length) * r];
    return [
      [x0 - nx, y0 - ny],
      [x1 - nx, y1 - ny],
      [x1 + nx, y1 + ny],
      [x0 + nx, y0 + ny],
    ];
  });
  const joints = thickness > 1.5 ? points.map((point) => disk(point, r)) : [];
  fillShape(canvas, [...pieces, ...joints], color);
};

export interface TextStyle {
  /** Pixels per em. */
  readonly size: number;
  readonly color?: Ink;
  /** What of the text stands at the point; "start" unless given. */
  readonly align?: "start" | "middle" | "end";
  /** Cut with an ellipsis beyond this width. */
  readonly maxWidth?: number;
}

/** Writes one line with its baseline at the point. */
export const drawText = (canvas: Canvas, text: string, [x, y]: Point, style: TextStyle): void => {
  const { size, color = ink, align = "start", maxWidth = Infinity } = style;
  const fitted = fitText(text, size, maxWidth);
  const left = x - { start: 0, middle: 0.5, end: 1 }[align] * textWidth(fitted, size);
  fillShape(canvas, textContours(fitted, size, [left, y]), color);
};

/**
 * Copies a picture (8 bits, over white where transparent), each pixel as a square of `factor`, top left at the point.
 */
export const drawPicture = (canvas: Canvas, picture: Picture, [left, top]: Point, factor = 1): void => {
  const { width, height, data } = flatten(toDepth(picture, 8), white);
  for (let y = 0; y < height * factor; y++)
    for (let x = 0; x < width * factor; x++) {
      const [px, py] = [left + x, top + y];
      if (px < 0 || py < 0 || px >= canvas.width || py >= canvas.height) continue;
      const from = (Math.floor(y / factor) * width + Math.floor(x / factor)) * 3;
      const to = (py * canvas.width + px) * 3;
      for (let c = 0; c < 3; c++) canvas.data[to + c] = data[from + c]!;
    }
};
