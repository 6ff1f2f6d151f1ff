import { random } from "../../tensor/random.ts";
import { indices, tensor } from "../../tensor/tensor.ts";
import type { Examples, Part, PartFormat } from "../exampleSource.ts";
import { sha256Of } from "../source.ts";
import type { SquareFormat } from "../square.ts";
import { type Form, forms } from "./outlines.ts";

/** Red, green and blue, 0…1. */
type Color = readonly [red: number, green: number, blue: number];

/** What one picture shows, whatever its size: lengths in sides of the picture, from its top left corner. */
export interface Scene {
  readonly form: Form;
  readonly color: Color;
  /** The background's color where it begins and where it ends; the same on a plain one. */
  readonly background: readonly [Color, Color];
  /** Where to the background fades, in radians. */
  readonly fading: number;
  readonly center: readonly [x: number, y: number];
  readonly radius: number;
  /** Radians, clockwise. */
  readonly angle: number;
  /** Names of the colors of shape and background. */
  readonly names: readonly [string, string];
}

export interface ShapeOptions extends PartFormat {
  /** 10,000 to train and 2,000 to test unless given. */
  readonly count?: number;
  /** 0 unless given. */
  readonly seed?: number;
}

const palette: readonly { readonly name: string; readonly color: Color }[] = [
  { name: "black", color: [0.08, 0.08, 0.08] },
  { name: "blue", color: [0.12, 0.25, 0.85] },
  { name: "brown", color: [0.45, 0.27, 0.12] },
  { name: "purple", color: [0.5, 0.15, 0.65] },
  { name: "red", color: [0.85, 0.12, 0.12] },
  { name: "green", color: [0.12, 0.6, 0.2] },
  { name: "gray", color: [0.5, 0.5, 0.5] },
  { name: "orange", color: [0.95, 0.55, 0.1] },
  { name: "pink", color: [0.98, 0.65, 0.78] },
  { name: "yellow", color: [0.95, 0.88, 0.2] },
  { name: "white", color: [0.95, 0.95, 0.95] },
];

/** BT.601, full range. */
const lumaOf = ([red, green, blue]: Color): number => 0.299 * red + 0.587 * green + 0.114 * blue;

/** Shape and background differ at least so much in luma, so that gray pictures show the shape too. */
const leastContrast = 0.25;
const counts: Readonly<Record<Part, number>> = { train: 10_000, test: 2_000 };

const shifted = (color: Color, by: number): Color =>
  color.map((value) => Math.min(1, Math.max(0, value + by))) as unknown as Color;

/** The picture of a number: a pure function of seed, part and number. Numbers take the forms in turn. */
export function sceneOf(seed: number, part: Part, number: number): Scene {
  const draw = random(seed, "shapes", part, number);
  const between = (low: number, high: number): number => low + (high - low) * draw.uniform();
  const back = palette[draw.below(palette.length)]!;
  const visible = palette.filter(({ color }) => Math.abs(lumaOf(color) - lumaOf(back.color)) >= leastContrast);
  const front = visible[draw.below(visible.length)]!;
  const fade = draw.uniform() < 0.5 ? 0 : 0.1;
  const shade = between(-0.03, 0.03);
  const radius = between(0.2, 0.4);
  return {
    form: forms[number % forms.length]!,
    color: shifted(front.color, between(-0.03, 0.03)),
    background: [shifted(back.color, shade - fade), shifted(back.color, shade + fade)],
    fading: between(0, 2 * Math.PI),
    center: [between(radius, 1 - radius), between(radius, 1 - radius)],
    radius,
    angle: between(0, 2 * Math.PI),
    names: [front.name, back.name],
  };
}

/** A sentence without its dot; gray pictures have no names of colors. */
export function captionOf({ form, names, color, background }: Scene, channels: 1 | 3): string {
  const isLight = lumaOf(color) > lumaOf(background[0]);
  const [front, back] = channels === 3 ? names : isLight ? ["light", "dark"] : ["dark", "light"];
  return `${article(front)} ${front} ${form.name} on ${article(back)} ${back} background`;
}

const article = (word: string): string => (/^[aeiou]/.test(word) ? "an" : "a");

/** Draws a scene, antialiased by the share of a pixel that the outline covers, into [C, size, size], 0…1. */
export function drawScene(scene: Scene, { size, channels }: SquareFormat, out: Float32Array): void {
  const { form, center, radius, fading } = scene;
  const ink = (color: Color): readonly number[] => (channels === 3 ? color : [lumaOf(color)]);
  const [front, from, to] = [ink(scene.color), ink(scene.background[0]), ink(scene.background[1])];
  const [cos, sin] = [Math.cos(scene.angle), Math.sin(scene.angle)];
  const [stepX, stepY] = [Math.cos(fading) / Math.SQRT2, Math.sin(fading) / Math.SQRT2];
  const [area, pixels] = [size * size, radius * size];
  for (let row = 0, p = 0; row < size; row++)
    for (let column = 0; column < size; column++, p++) {
      const [x, y] = [(column + 0.5) / size, (row + 0.5) / size];
      const [dx, dy] = [(x - center[0]) / radius, (y - center[1]) / radius];
      const isNear = Math.abs(dx) < 1 + 1 / pixels && Math.abs(dy) < 1 + 1 / pixels;
      const distance = isNear ? form.distance(cos * dx + sin * dy, cos * dy - sin * dx) : 1;
      const cover = isNear ? Math.min(1, Math.max(0, 0.5 - distance * pixels)) : 0;
      const along = 0.5 + (x - 0.5) * stepX + (y - 0.5) * stepY;
      for (let c = 0; c < channels; c++) {
        const back = from[c]! + (to[c]! - from[c]!) * along;
        out[c * area + p] = back + (front[c]! - back) * cover;
      }
    }
}

/** One of eight shapes of any color, size, place and angle on a plain or fading background: drawn when asked for. */
export async function openShapes({
  size,
  channels,
  part,
  count = counts[part],
  seed = 0,
}: ShapeOptions): Promise<Examples> {
  const text = `shapes, version 1, seed ${seed}, ${part}: ${count} of ${size}×${size}×${channels}`;
  const length = channels * size * size;
  return {
    description: { count, bytes: 0, sha256: await sha256Of(new TextEncoder().encode(text)) },
    classes: forms.map(({ name }) => name),
    captions: Array.from({ length: count }, (_, number) => captionOf(sceneOf(seed, part, number), channels)),
    skipped: [],
    take(numbers) {
      const pixels = new Float32Array(numbers.length * length);
      numbers.forEach((number, i) => {
        drawScene(sceneOf(seed, part, number), { size, channels }, pixels.subarray(i * length, (i + 1) * length));
      });
      const labels = numbers.map((number) => number % forms.length);
      return {
        image: tensor(pixels, [numbers.length, channels, size, size]),
        label: indices(labels, [numbers.length]),
      };
    },
  };
}
