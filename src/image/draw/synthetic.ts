import { checkSize, type Picture } from "../picture.ts";
import { type Canvas, canvasPicture, fillBox, fillDisk, fillShape, makeCanvas, strokeLine } from "./canvas.ts";
import { fractal, hash, makeRandom, noise } from "./noise.ts";
import { lit, mix, type Rgb, type Scene } from "./scene.ts";
import { drawVillage } from "./village.ts";

export interface SyntheticOptions {
  readonly width: number;
  readonly height: number;
  /** Another seed, another place. */
  readonly seed: number;
}

/**
 * A made-up photograph, 8-bit RGB: sky and clouds, wooded hills, houses with brick, tiles, shutters and signs, trees,
 * a fence and grass; edges and texture at every scale, down to single pixels. The same seed gives the same picture.
 */
export const syntheticPhotograph = ({ width, height, seed }: SyntheticOptions): Picture => {
  checkSize("syntheticPhotograph", { width, height });
  const canvas = makeCanvas({ width, height });
  const scene: Scene = {
    canvas,
    seed,
    unit: Math.min(width, height) / 100,
    random: makeRandom(seed),
    horizon: height * 0.62,
  };
  drawSky(scene);
  for (let ridge = 0; ridge < 3; ridge++) drawRidge(scene, ridge);
  drawMeadow(scene);
  drawVillage(scene);
  drawFence(scene);
  drawGrass(scene);
  softenAsLens(scene);
  addGrain(scene);
  return canvasPicture(canvas);
};

const putPixel = ({ width, data }: Canvas, x: number, y: number, color: Rgb): void => {
  for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = Math.min(255, Math.max(0, Math.round(color[c]!)));
};

const drawSky = ({ canvas, unit, seed }: Scene): void => {
  for (let y = 0; y < canvas.height; y++)
    for (let x = 0; x < canvas.width; x++) {
      const [u, v] = [x / unit, y / unit];
      const clear = mix([58, 112, 178], [196, 214, 226], Math.min(1, y / (canvas.height * 0.6)));
      const cloud = fractal(u / 34, v / 15, seed, 6, 0.55);
      const shade = fractal(u / 34 + 0.12, v / 15 - 0.2, seed, 5, 0.55);
      const cover = Math.min(1, Math.max(0, (cloud - 0.5) * 6));
      putPixel(
        canvas,
        x,
        y,
        mix(clear, mix([250, 249, 246], [168, 176, 190], Math.max(0, shade - 0.45) * 2.4), cover * 0.92),
      );
    }
};

/** Far to near: bluer and smoother to greener and rougher; the nearest is a wood of single crowns. */
const drawRidge = ({ canvas, unit, seed, horizon }: Scene, ridge: number): void => {
  const color = (
    [
      [126, 146, 168],
      [84, 108, 104],
      [46, 74, 42],
    ] as const
  )[ridge]!;
  const own = seed + 100 * (ridge + 1);
  const rise = [26, 17, 9][ridge]! * unit;
  const roughness = [0.6, 1, 1.6][ridge]!;
  for (let x = 0; x < canvas.width; x++) {
    const u = x / unit;
    const edge =
      fractal(u / 30, ridge, own, 4) * rise * 1.4 + (fractal(u / 1.6, 0, own + 7, 3) - 0.5) * unit * roughness * 2;
    for (let y = Math.max(0, Math.floor(horizon - edge)); y < canvas.height; y++) {
      const v = y / unit;
      const crowns = fractal(u / (0.9 + ridge), v / (0.7 + ridge * 0.6), own + 20, 5, 0.65);
      const light = 0.75 + (crowns - 0.5) * roughness * 1.5 + noise(u / 9, v / 9, own + 30) * 0.4;
      putPixel(canvas, x, y, lit(color, Math.max(0.25, light)));
    }
  }
};

const drawMeadow = ({ canvas, unit, seed, horizon }: Scene): void => {
  for (let x = 0; x < canvas.width; x++) {
    const top = horizon + (noise(x / unit / 25, 3, seed + 400) - 0.5) * 5 * unit;
    for (let y = Math.floor(top); y < canvas.height; y++) {
      const depth = (y - top) / (canvas.height - top + 1);
      const [u, v] = [x / unit / (0.3 + depth * 2), y / unit / (0.1 + depth)];
      const light = 0.6 + fractal(u * 1.4, v * 1.2, seed + 410, 5, 0.7) * 0.8;
      const color = mix([136, 150, 74], [66, 104, 38], Math.min(1, depth * 1.6));
      putPixel(
        canvas,
        x,
        y,
        lit(mix(color, [188, 168, 98], Math.max(0, noise(u / 3, v / 5, seed + 420) - 0.55)), light),
      );
    }
  }
};

const drawFence = ({ canvas, unit, horizon, random }: Scene): void => {
  const y = horizon + unit * 18;
  for (const rail of [1.6, 4.6])
    fillBox(canvas, { x: 0, y: y + unit * rail, width: canvas.width, height: unit * 0.7 }, [196, 190, 178]);
  for (let x = -unit; x < canvas.width; x += unit * 2.1) {
    const [w, top] = [unit * 1.05, y + (random() - 0.5) * unit * 0.5];
    const color = lit([232, 228, 218], 0.86 + random() * 0.16);
    fillShape(
      canvas,
      [
        [
          [x, top + unit],
          [x + w / 2, top],
          [x + w, top + unit],
          [x + w, y + unit * 7.4],
          [x, y + unit * 7.4],
        ],
      ],
      color,
    );
    fillBox(canvas, { x: x + w * 0.82, y: top + unit, width: w * 0.18, height: unit * 6.4 }, [128, 122, 112], 0.7);
  }
};

/** Blades from the fence to the lower border, thinner far away, and flowers. */
const drawGrass = ({ canvas, unit, horizon, random }: Scene): void => {
  const top = horizon + unit * 23;
  const blades = Math.round((canvas.width / unit) * 26);
  for (let i = 0; i < blades; i++) {
    const depth = i / blades;
    const [x, y] = [random() * canvas.width, top + depth * (canvas.height - top + unit * 4)];
    const [height, bend] = [unit * (1.6 + depth * 5) * (0.6 + random() * 0.6), (random() - 0.5) * unit * 3];
    const color = lit(mix([96, 128, 50], [176, 178, 88], random() * random()), 0.5 + random() * 0.75);
    strokeLine(
      canvas,
      [
        [x, y],
        [x + bend * 0.3, y - height * 0.6],
        [x + bend, y - height],
      ],
      Math.max(0.6, unit * (0.12 + depth * 0.24)),
      color,
    );
    if (i % 37 === 0)
      fillDisk(
        canvas,
        [x + bend, y - height],
        unit * (0.3 + depth * 0.6),
        random() < 0.5 ? [246, 224, 92] : [236, 236, 244],
      );
  }
};

/** The slight blur of a lens, 1 4 1 in both directions: no photograph is sharp to the pixel. */
const softenAsLens = ({ canvas: { data, width, height } }: Scene): void => {
  for (const [step, along, across] of [
    [3, width, height],
    [width * 3, height, width],
  ] as const) {
    const source = data.slice();
    const other = step === 3 ? width * 3 : 3;
    for (let line = 0; line < across; line++)
      for (let i = 0; i < along; i++)
        for (let c = 0; c < 3; c++) {
          const at = line * other + i * step + c;
          const [before, after] = [i > 0 ? at - step : at, i < along - 1 ? at + step : at];
          data[at] = Math.round((source[before]! + 4 * source[at]! + source[after]!) / 6);
        }
  }
};

/** The faint noise of a sensor. */
const addGrain = ({ canvas: { data, width }, seed }: Scene): void => {
  for (let i = 0; i < data.length; i++) {
    const grain = hash(i % (width * 3), Math.floor(i / (width * 3)), seed + 900) - 0.5;
    data[i] = Math.min(255, Math.max(0, Math.round(data[i]! + grain * 4)));
  }
};
