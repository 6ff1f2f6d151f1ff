import { z } from "zod";
import { listPictures } from "../../data/folder.ts";
import { option, userError } from "../../errors.ts";
import { modcrop, type Picture } from "../../image/picture.ts";
import { plainPicture, reduced } from "../../image/reduce.ts";
import { type Score, score } from "../../metrics/protocol.ts";
import type { Platform } from "../../platform/platform.ts";
import type { Progress, TaskTools } from "../common/task.ts";
import { type ClassicMethod, methods, openUpscaler, upscaleOptions } from "./upscale.ts";
import type { Upscaler } from "./upscaler.ts";

/** What scores of upscalers can be asked for. */
export const scoreOptions = z.object({
  data: z
    .string()
    .min(1)
    .describe("folder of large pictures, or of x2, x3, x4 with *_HR.png and *_LR.png")
    .meta({ placeholder: "folder" }),
  method: z.array(z.enum(methods)).default([]).describe("classic interpolations to score"),
  model: z.array(z.string().min(1)).default([]).describe("networks to score, as upscale takes them"),
  scale: z.array(z.int().min(2).max(8)).min(1).default([2]).describe("how many times smaller the pictures are made"),
  color: z.enum(["y", "rgb"]).default("y").describe("score luma, as published tables do, or the three colors"),
  shave: z.int().min(0).max(256).optional().describe("rim that does not count, the scale unless given, in pixels"),
  tile: upscaleOptions.shape.tile,
});

type Checked = z.output<typeof scoreOptions>;

/** The score of one picture. PSNR in dB; Infinity where result and original are equal. */
export interface PictureScore extends Score {
  readonly method: string;
  readonly scale: number;
  readonly picture: string;
}

/** The mean of the pictures' scores. */
export interface MeanScore extends Score {
  readonly method: string;
  readonly scale: number;
  readonly pictures: number;
}

export interface Evaluation {
  readonly means: readonly MeanScore[];
  readonly pictures: readonly PictureScore[];
}

/** The news of one picture. */
export interface ScoreTick extends Progress {
  readonly score: PictureScore;
}

/** A picture to be found again: the original's file and, in a published set, the reduced one's. */
interface Pair {
  readonly name: string;
  readonly large: string;
  readonly small?: string;
}

/**
 * Scores methods and networks by the protocol of the published super-resolution tables: originals are cropped to a
 * multiple of the scale, reduced by MATLAB's bicubic (or read from the set), enlarged, rounded to 8 bits, and compared
 * on luma (BT.601 studio range) without a rim of `scale` pixels. Yields each picture's score.
 * @throws UserError for data or models that do not fit; the signal's reason when it is aborted
 */
export async function* scoreUpscalers(options: Checked, tools: TaskTools): AsyncGenerator<ScoreTick, Evaluation> {
  const { data, color, scale: scales, tile } = options;
  const { platform, runtime, signal } = tools;
  const entries = entriesOf(options);
  const sets = await Promise.all(scales.map((scale) => findPairs(data, scale, platform)));
  const total = entries.length * sets.reduce((sum, pairs) => sum + pairs.length, 0);
  const pictures: PictureScore[] = [];
  for (const [i, scale] of scales.entries()) {
    const upscalers = await openAll(entries, (one) => openUpscaler({ ...one, scale, tile }, platform, runtime));
    for (const pair of sets[i]!) {
      const { large, small } = await readPair(pair, scale, platform);
      for (const upscaler of upscalers) {
        signal?.throwIfAborted();
        const result = score(await upscaler.run(small, { signal }), large, { color, shave: options.shave ?? scale });
        const one = { method: upscaler.name, scale, picture: pair.name, ...result };
        pictures.push(one);
        yield { done: pictures.length, total, what: whatOf(one), score: one };
      }
    }
    for (const upscaler of upscalers) await upscaler.dispose();
  }
  return { means: meansOf(pictures), pictures };
}

const whatOf = ({ picture, method, psnr }: PictureScore): string => `${picture}  ${method}  ${psnr.toFixed(2)} dB`;

type Entry = { readonly method: ClassicMethod } | { readonly model: string };

function entriesOf({ method, model }: Checked): readonly Entry[] {
  const entries = [...method.map((one) => ({ method: one })), ...model.map((one) => ({ model: one }))];
  return entries.length > 0 ? entries : [{ method: "bicubic" }];
}

/** Opens every entry; two models of one name are told apart by what was asked for. */
async function openAll(
  entries: readonly Entry[],
  open: (entry: Entry) => Promise<Upscaler>,
): Promise<readonly Upscaler[]> {
  const opened: Upscaler[] = [];
  for (const entry of entries) {
    const upscaler = await open(entry);
    const isTaken = opened.some(({ name }) => name === upscaler.name);
    opened.push(isTaken && "model" in entry ? { ...upscaler, name: entry.model } : upscaler);
  }
  return opened;
}

/** The pictures of a folder, or the pairs of the subfolder x<scale> where a published set has such. */
async function findPairs(data: string, scale: number, { files }: Platform): Promise<readonly Pair[]> {
  if ((await files.size(data)) !== undefined)
    throw userError(option("data"), `expected a folder of pictures, got the file ${data}`);
  if (!(await files.exists(data)))
    throw userError(option("data"), `expected a folder of pictures, got nothing at ${data}`);
  const folders = (await files.list(data)).filter(({ name, isFolder }) => isFolder && /^x\d$/.test(name));
  const root = folders.length > 0 ? `${data}/x${scale}` : data;
  if (folders.length > 0 && !folders.some(({ name }) => name === `x${scale}`))
    throw userError(
      option("scale"),
      `expected a folder x${scale} in ${data}, got ${folders.map(({ name }) => name).join(", ")}`,
    );
  const paths = await listPictures([root], files);
  const large = paths.filter((path) => /_HR\.\w+$/.test(path));
  if (large.length === 0) return paths.map((path) => ({ name: nameOf(path), large: path }));
  return large.map((path) => {
    const small = path.replace(/_HR(\.\w+)$/, "_LR$1");
    if (!paths.includes(small)) throw userError(path, "expected the reduced picture *_LR beside it, got none");
    return { name: nameOf(path).replace(/_HR$/, ""), large: path, small };
  });
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1).replace(/\.\w+$/, "");

async function readPair(
  { large: path, small: smallPath }: Pair,
  scale: number,
  { codec }: Platform,
): Promise<{ readonly large: Picture; readonly small: Picture }> {
  const large = modcrop(plainPicture(await codec.read(path)), scale);
  if (!smallPath) return { large, small: reduced(large, scale) };
  const size = { width: large.width / scale, height: large.height / scale };
  const small = plainPicture(await codec.read(smallPath));
  if (small.width !== size.width || small.height !== size.height)
    throw userError(smallPath, `expected ${size.width}×${size.height} pixels, got ${small.width}×${small.height}`);
  return { large, small };
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function meansOf(scores: readonly PictureScore[]): readonly MeanScore[] {
  const groups = new Map<string, PictureScore[]>();
  for (const one of scores) {
    const key = `${one.scale} ${one.method}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map((group) => ({
    method: group[0]!.method,
    scale: group[0]!.scale,
    psnr: meanOf(group.map(({ psnr }) => psnr)),
    ssim: meanOf(group.map(({ ssim }) => ssim)),
    pictures: group.length,
  }));
}
