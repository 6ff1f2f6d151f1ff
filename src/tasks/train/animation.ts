import type { Picture } from "../../image/picture.ts";
import type { Provenance } from "../../image/provenance.ts";
import { resize } from "../../image/resize.ts";
import type { Platform } from "../../platform/platform.ts";

const FRAMES = 60;
/** Longest side of a frame; all frames are in memory at once. */
const SIDE = 1024;
const MILLISECONDS = { each: 200, last: 2000 } as const;

/** `count` numbers of 0 … total − 1, or all, at equal distances, the first and the last among them. */
export const evenly = (total: number, count: number): readonly number[] =>
  total <= count
    ? [...Array(total).keys()]
    : Array.from({ length: count }, (_, i) => Math.round((i * (total - 1)) / (count - 1)));

/**
 * The sheets of a run's samples up to a step, in order, as samples.webp in its folder; undefined when there are fewer
 * than two.
 */
export async function animateSamples(
  folder: string,
  step: number,
  { files, codec }: Platform,
  provenance?: Provenance,
): Promise<string | undefined> {
  const place = `${folder}/samples`;
  const entries = (await files.exists(place)) ? await files.list(place) : [];
  const steps = entries.flatMap(({ name }) => (/^\d+\.png$/.test(name) ? [name] : []));
  const sorted = steps
    .filter((name) => Number.parseInt(name, 10) <= step)
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  if (sorted.length < 2) return undefined;
  const chosen = evenly(sorted.length, FRAMES).map((i) => sorted[i]!);
  const pictures: Picture[] = [];
  for (const name of chosen) pictures.push(fitted(await codec.read(`${place}/${name}`)));
  const milliseconds = chosen.map((_, i) => (i === chosen.length - 1 ? MILLISECONDS.last : MILLISECONDS.each));
  const path = `${folder}/samples.webp`;
  await codec.animate(path, pictures, { milliseconds, force: true, provenance });
  return path;
}

/** No side longer than a frame's. */
function fitted(picture: Picture): Picture {
  const { width, height } = picture;
  const factor = Math.min(1, SIDE / Math.max(width, height));
  if (factor === 1) return picture;
  const size = { width: Math.round(width * factor), height: Math.round(height * factor) };
  return resize(picture, size, { method: "bicubic", convention: "pillow" });
}
