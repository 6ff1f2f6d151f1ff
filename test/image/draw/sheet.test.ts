import { describe, expect, test } from "vitest";
import {
  canvasPicture,
  drawText,
  fillBox,
  fillShape,
  makeCanvas,
  paletteAt,
  strokeLine,
} from "../../../src/image/draw/canvas.ts";
import { pictureGrid } from "../../../src/image/draw/grid.ts";
import { lineChart } from "../../../src/image/draw/lineChart.ts";
import { comparisonSheet, detailedCrops } from "../../../src/image/draw/sheet.ts";
import { syntheticPhotograph } from "../../../src/image/draw/synthetic.ts";
import { fitText, textWidth } from "../../../src/image/draw/text.ts";
import { crop, isSamePicture, makePicture, type Picture } from "../../../src/image/picture.ts";
import { resize } from "../../../src/image/resize.ts";
import { psnr } from "../../../src/metrics/psnr.ts";
import { scrambled } from "../../fixtures/pictures.ts";

/** Sum of darkness over the picture, in whole black pixels. */
const darkness = ({ data }: Picture): number => Array.from(data).reduce((sum, v) => sum + (255 - v) / 255, 0) / 3;

/** Does `part` stand somewhere in `whole`, byte for byte? */
const contains = (whole: Picture, part: Picture): boolean => {
  for (let y = 0; y + part.height <= whole.height; y++)
    for (let x = 0; x + part.width <= whole.width; x++) {
      const i = (y * whole.width + x) * 3;
      if (whole.data[i] !== part.data[0] || whole.data[i + 1] !== part.data[1]) continue;
      if (isSamePicture(crop(whole, { x, y, width: part.width, height: part.height }), part)) return true;
    }
  return false;
};

describe("shapes", () => {
  const black = [0, 0, 0] as const;
  test("cover exactly their area, wherever they lie", () => {
    for (const [x, y] of [
      [3, 4],
      [3.25, 4.5],
      [3.7, 4.9],
    ] as const) {
      const canvas = makeCanvas({ width: 20, height: 20 });
      fillBox(canvas, { x, y, width: 5.5, height: 3 }, black);
      expect(darkness(canvasPicture(canvas))).toBeCloseTo(16.5, 0);
    }
    const canvas = makeCanvas({ width: 60, height: 60 });
    fillShape(
      canvas,
      [
        [
          [5.3, 50.2],
          [50.1, 41.7],
          [22.9, 7.4],
        ],
      ],
      black,
    );
    const area = Math.abs((50.1 - 5.3) * (7.4 - 50.2) - (22.9 - 5.3) * (41.7 - 50.2)) / 2;
    expect(Math.abs(darkness(canvasPicture(canvas)) - area)).toBeLessThan(2);
  });
  test("are cut at the border", () => {
    const canvas = makeCanvas({ width: 10, height: 10 });
    fillShape(
      canvas,
      [
        [
          [-30, -30],
          [30, -30],
          [30, 30],
          [-30, 30],
        ],
      ],
      black,
    );
    expect(darkness(canvasPicture(canvas))).toBe(100);
    strokeLine(
      canvas,
      [
        [-5, -5],
        [-9, 30],
      ],
      3,
      [255, 255, 255],
    );
    expect(darkness(canvasPicture(canvas))).toBe(100);
  });
  test("text has ink, width grows with it, and long text is cut", () => {
    const canvas = makeCanvas({ width: 120, height: 30 });
    drawText(canvas, "Bicubic ×2", [4, 22], { size: 20, color: black });
    expect(darkness(canvasPicture(canvas))).toBeGreaterThan(150);
    expect(textWidth("ab", 20)).toBeCloseTo(textWidth("a", 20) + textWidth("b", 20), 10);
    expect(fitText("a very long label indeed", 20, 80)).toMatch(/^a very.*…$/);
    expect(textWidth("\u4e2d", 10)).toBe(textWidth("?", 10));
  });
});

describe("comparison sheet", () => {
  test.each([
    [16, 16],
    [300, 40],
    [40, 300],
    [640, 480],
  ] as const)("holds the enlarged crops of a %i×%i picture", (width, height) => {
    const picture = scrambled({ width, height });
    const box = { x: 3, y: 5, width: 8, height: 8 };
    const columns = ["Original", "Again"].map((label) => ({
      label,
      picture,
      note: "30.81 dB",
      cropNotes: ["25.00 dB"],
    }));
    const sheet = comparisonSheet({ columns, crops: [box], cell: 120, title: "A title" });
    const enlarged = resize(
      crop(picture, box),
      { width: 120, height: 120 },
      { method: "nearest", convention: "pillow" },
    );
    expect(contains(sheet, crop(enlarged, { x: 40, y: 40, width: 50, height: 50 }))).toBe(true);
    const frame = paletteAt(0);
    expect(
      contains(
        sheet,
        makePicture(
          { width: 4, height: 2, channels: 3 },
          Uint8Array.from({ length: 24 }, (_, i) => frame[i % 3]!),
        ),
      ),
    ).toBe(true);
  });
  test("refuses crops outside and pictures of several sizes", () => {
    const [a, b] = [scrambled({ width: 20, height: 20 }), scrambled({ width: 21, height: 20 })];
    const box = { x: 15, y: 0, width: 8, height: 8 };
    expect(() => comparisonSheet({ columns: [{ label: "a", picture: a }], crops: [box] })).toThrow("within 20×20");
    const both = [
      { label: "a", picture: a },
      { label: "b", picture: b },
    ];
    expect(() => comparisonSheet({ columns: both, crops: [] })).toThrow("got one of 21×20");
  });
  test("chooses crops where there is detail", () => {
    const picture = makePicture({ width: 96, height: 96, channels: 3 }, new Uint8Array(96 * 96 * 3).fill(90));
    for (let y = 64; y < 80; y++)
      for (let x = 32; x < 48; x++) picture.data[(y * 96 + x) * 3 + 1] = (x + y) % 2 === 0 ? 0 : 255;
    expect(detailedCrops(picture, 1)).toEqual([{ x: 32, y: 64, width: 16, height: 16 }]);
  });
});

test("a grid lays pictures out in rows", () => {
  const pictures = [10, 20, 30].map((value) =>
    makePicture({ width: 2, height: 2, channels: 1 }, new Uint8Array(4).fill(value)),
  );
  const sheet = pictureGrid(pictures, { columns: 2, gap: 1 });
  expect([sheet.width, sheet.height]).toEqual([7, 7]);
  const at = (x: number, y: number) => sheet.data[(y * 7 + x) * 3];
  expect([at(1, 1), at(4, 1), at(1, 4), at(4, 4), at(0, 0)]).toEqual([10, 20, 30, 255, 255]);
});

describe("chart", () => {
  /** The rows in which the first series' color stands, for one column. */
  const inkRows = ({ width, height, data }: Picture, x: number): readonly number[] => {
    const color = paletteAt(1);
    return Array.from({ length: height }, (_, y) => y).filter((y) =>
      color.every((v, c) => Math.abs(data[(y * width + x) * 3 + c]! - v) < 30),
    );
  };
  test("a falling series falls, and a log axis makes an exponential straight", () => {
    const points = Array.from({ length: 101 }, (_, i) => [i, 10 ** (-i / 25)] as const);
    const chart = lineChart({ series: [{ label: "loss", points }], isLog: true, width: 600, height: 400 });
    const [a, b, c] = [150, 300, 450].map((x) => inkRows(chart, x).at(-1)!);
    expect(a!).toBeLessThan(b!);
    expect(Math.abs(a! + c! - 2 * b!)).toBeLessThanOrEqual(2);
  });
  test("one point, equal points and holes are drawn; nothing at all is refused", () => {
    const draw = (points: readonly (readonly [number, number])[]) => lineChart({ series: [{ label: "x", points }] });
    expect(draw([[1, 5]]).width).toBe(960);
    expect(
      draw([
        [1, 5],
        [2, 5],
        [3, Number.NaN],
      ]).height,
    ).toBe(540);
    expect(() => draw([[1, Number.NaN]])).toThrow("at least one finite point");
  });
});

describe("synthetic photograph", () => {
  const size = { width: 96, height: 72 };
  test("the same seed gives the same picture, another one another", () => {
    const picture = syntheticPhotograph({ ...size, seed: 5 });
    expect(isSamePicture(picture, syntheticPhotograph({ ...size, seed: 5 }))).toBe(true);
    expect(isSamePicture(picture, syntheticPhotograph({ ...size, seed: 6 }))).toBe(false);
  });
  test("has fine detail: methods differ visibly, in the usual order", () => {
    const picture = syntheticPhotograph({ width: 192, height: 144, seed: 1 });
    const lr = resize(picture, { width: 96, height: 72 }, { method: "bicubic", convention: "matlab" });
    const [nearest, bicubic] = (["nearest", "bicubic"] as const).map((method) =>
      psnr(resize(lr, picture, { method, convention: "matlab" }), picture),
    );
    expect(bicubic!).toBeLessThan(32);
    expect(bicubic! - nearest!).toBeGreaterThan(0.4);
  });
});
