import { userError } from "../../errors.ts";
import { type Box, crop, type Picture } from "../picture.ts";
import { resize } from "../resize.ts";
import {
  type Canvas,
  canvasPicture,
  drawPicture,
  drawText,
  faded,
  fillBox,
  ink,
  makeCanvas,
  paletteAt,
  strokeBox,
} from "./canvas.ts";
import { capHeight, textWidth } from "./text.ts";

export interface SheetColumn {
  /** Above the column: "Original", "Bicubic", a model's name. */
  readonly label: string;
  /** All columns' pictures have one size. */
  readonly picture: Picture;
  /** Under the whole picture, such as "30.81 dB / 0.8320". */
  readonly note?: string;
  /** Under the enlarged crops, one per crop. */
  readonly cropNotes?: readonly string[];
}

export interface SheetOptions {
  readonly columns: readonly SheetColumn[];
  /** The places to enlarge, in pixels of the pictures; chosen by `detailedCrops` unless given. */
  readonly crops?: readonly Box[];
  /** Above everything. */
  readonly title?: string;
  /** Width of a column in pixels; 360 unless given. */
  readonly cell?: number;
}

/** Where everything lies, in pixels. */
interface Layout {
  readonly cell: number;
  readonly gap: number;
  readonly margin: number;
  /** Pixels per em of notes; labels and title are larger. */
  readonly size: number;
  readonly top: number;
  /** Size of the whole pictures as drawn, and how they were scaled. */
  readonly whole: { readonly width: number; readonly height: number; readonly scale: number };
  readonly cropFactors: readonly number[];
}

/**
 * A comparison sheet: a labeled column per method, the whole pictures with numbered frames, and under them a row per
 * frame with the crops enlarged by a whole factor without interpolation. 8-bit RGB on white.
 */
export const comparisonSheet = (options: SheetOptions): Picture => {
  const { columns, title } = options;
  const crops = options.crops ?? detailedCrops(columns[0]!.picture);
  checkColumns(columns, crops);
  const layout = layOut(options, crops);
  const { margin, cell, gap, size } = layout;
  const canvas = makeCanvas({
    width: 2 * margin + columns.length * cell + (columns.length - 1) * gap,
    height: rowTops(layout, crops).at(-1)! + margin - gap,
  });
  if (title)
    drawText(canvas, title, [margin, margin + size * 1.5 * capHeight], {
      size: size * 1.5,
      maxWidth: canvas.width - 2 * margin,
    });
  columns.forEach((column, i) => {
    drawColumn(canvas, column, { layout, crops, left: margin + i * (cell + gap) });
  });
  return canvasPicture(canvas);
};

const checkColumns = (columns: readonly SheetColumn[], crops: readonly Box[]): void => {
  const [first, ...others] = columns.map(({ picture }) => picture);
  if (!first) throw userError("sheet", "expected at least one column, got none");
  const other = others.find(({ width, height }) => width !== first.width || height !== first.height);
  if (other)
    throw userError(
      "sheet",
      `expected pictures of ${first.width}×${first.height}, got one of ${other.width}×${other.height}`,
    );
  for (const box of crops) crop(first, box);
};

const layOut = ({ columns, title, cell = 360 }: SheetOptions, crops: readonly Box[]): Layout => {
  const { width, height } = columns[0]!.picture;
  const widest = Math.max(cell, ...crops.map((box) => box.width));
  const cropFactors = crops.map((box) => Math.max(1, Math.floor(Math.min(widest / box.width, widest / box.height))));
  // The widest crop sets the column where it nearly fills it, so that edges line up.
  const filled = Math.max(0, ...crops.map((box, i) => box.width * cropFactors[i]!));
  const used = filled > 0.75 * widest ? filled : widest;
  const fit = Math.min(used / width, (used * 1.25) / height);
  const scale = fit >= 1 ? Math.floor(fit) : fit;
  const size = Math.max(13, Math.round(widest / 22));
  const margin = Math.round(size * 1.6);
  return {
    cell: used,
    gap: Math.round(size * 1.1),
    margin,
    size,
    top: margin + (title ? size * 2.6 : 0),
    whole: { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)), scale },
    cropFactors,
  };
};

const labelHeight = ({ size }: Layout): number => Math.round(size * 2);
const noteHeight = ({ size }: Layout): number => Math.round(size * 1.9);

/** The upper edge of the whole pictures, of each row of crops, and of what would follow. */
const rowTops = (layout: Layout, crops: readonly Box[]): readonly number[] => {
  const tops = [Math.round(layout.top + labelHeight(layout))];
  tops.push(tops[0]! + layout.whole.height + noteHeight(layout) + layout.gap);
  crops.forEach((box, i) => {
    tops.push(tops.at(-1)! + box.height * layout.cropFactors[i]! + noteHeight(layout) + layout.gap);
  });
  return tops;
};

interface Column {
  readonly layout: Layout;
  readonly crops: readonly Box[];
  readonly left: number;
}

const drawColumn = (canvas: Canvas, column: SheetColumn, place: Column): void => {
  const { layout, crops, left } = place;
  const { cell, size, whole } = layout;
  const tops = rowTops(layout, crops);
  const middle = left + cell / 2;
  drawText(canvas, column.label, [middle, tops[0]! - size * 0.65], {
    size: size * 1.2,
    align: "middle",
    maxWidth: cell,
  });
  drawPicture(canvas, fitWhole(column.picture, whole), [left + Math.round((cell - whole.width) / 2), tops[0]!]);
  drawNote(canvas, column.note, [middle, tops[0]! + whole.height], layout);
  drawFrames(canvas, place, tops[0]!);
  crops.forEach((box, i) => {
    const factor = layout.cropFactors[i]!;
    const [width, height] = [box.width * factor, box.height * factor];
    const x = left + Math.round((cell - width) / 2);
    drawPicture(canvas, crop(column.picture, box), [x, tops[i + 1]!], factor);
    const thickness = Math.max(2, Math.round(size / 6));
    strokeBox(
      canvas,
      { x: x + thickness, y: tops[i + 1]! + thickness, width: width - 2 * thickness, height: height - 2 * thickness },
      thickness,
      paletteAt(i),
    );
    drawBadge(canvas, i, { x: x + width, y: tops[i + 1]!, size });
    drawNote(canvas, column.cropNotes?.[i], [middle, tops[i + 1]! + height], layout);
  });
};

const fitWhole = (picture: Picture, { width, height, scale }: Layout["whole"]): Picture =>
  resize(picture, { width, height }, { method: scale >= 1 ? "nearest" : "lanczos", convention: "pillow" });

const drawNote = (
  canvas: Canvas,
  text: string | undefined,
  [x, y]: readonly [number, number],
  { size, cell }: Layout,
): void => {
  if (text) drawText(canvas, text, [x, y + size * 1.35], { size, color: faded, align: "middle", maxWidth: cell });
};

/** The numbered frames over the whole picture. */
const drawFrames = (canvas: Canvas, { layout, crops, left }: Column, top: number): void => {
  const { cell, size, whole } = layout;
  const x = left + Math.round((cell - whole.width) / 2);
  crops.forEach((box, i) => {
    const frame = {
      x: x + Math.round(box.x * whole.scale),
      y: top + Math.round(box.y * whole.scale),
      width: Math.max(4, Math.round(box.width * whole.scale)),
      height: Math.max(4, Math.round(box.height * whole.scale)),
    };
    strokeBox(canvas, frame, Math.max(2, Math.round(size / 8)), paletteAt(i));
    drawBadge(canvas, i, { x: frame.x + frame.width, y: frame.y, size: size * 0.85 });
  });
};

/** A crop's number on its color; (x, y) is the badge's upper right corner. */
const drawBadge = (canvas: Canvas, i: number, { x, y, size }: { x: number; y: number; size: number }): void => {
  const text = String(i + 1);
  const side = Math.round(Math.max(size * 1.25, textWidth(text, size) + size * 0.5));
  fillBox(canvas, { x: x - side, y, width: side, height: Math.round(size * 1.25) }, paletteAt(i));
  const color = i % 6 === 4 || i % 6 === 5 ? ink : ([255, 255, 255] as const);
  drawText(canvas, text, [x - side / 2, y + size * (0.625 + capHeight / 2)], { size, color, align: "middle" });
};

/** Up to `count` places with much fine detail that do not overlap, each a sixth of the shorter side, 8 to 120. */
export const detailedCrops = (picture: Picture, count = 2): readonly Box[] => {
  const { width, height } = picture;
  const side = Math.min(width, height, Math.min(120, Math.max(8, Math.round(Math.min(width, height) / 6))));
  const step = Math.max(1, Math.floor(side / 2));
  const boxes: { readonly box: Box; readonly detail: number }[] = [];
  for (let y = 0; y + side <= height; y += step)
    for (let x = 0; x + side <= width; x += step) {
      const box = { x, y, width: side, height: side };
      boxes.push({ box, detail: detailOf(picture, box) });
    }
  const chosen: Box[] = [];
  for (const { box } of boxes.sort((a, b) => b.detail - a.detail))
    if (chosen.length < count && chosen.every((other) => isApart(box, other, side))) chosen.push(box);
  return chosen.sort((a, b) => a.y - b.y || a.x - b.x);
};

const isApart = (a: Box, b: Box, side: number): boolean =>
  Math.abs(a.x - b.x) >= 1.5 * side || Math.abs(a.y - b.y) >= 1.5 * side;

/** Sum of absolute differences of neighboring samples in the first channel (green where there is one). */
const detailOf = ({ width, channels, data }: Picture, box: Box): number => {
  const c = channels > 2 ? 1 : 0;
  let sum = 0;
  for (let y = box.y; y < box.y + box.height - 1; y++)
    for (let x = box.x; x < box.x + box.width - 1; x++) {
      const i = (y * width + x) * channels + c;
      sum += Math.abs(data[i]! - data[i + channels]!) + Math.abs(data[i]! - data[i + width * channels]!);
    }
  return sum;
};
