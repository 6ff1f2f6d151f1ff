import { option, userError } from "../errors.ts";
import { toRgb } from "../image/channels.ts";
import { modcrop, type Picture, type Size } from "../image/picture.ts";
import { enlargedTo, plainPicture } from "../image/reduce.ts";
import type { Files } from "../platform/files.ts";
import { bicubicReduction, type Degradation } from "./degradation.ts";
import { cutBatch, type Pair } from "./patchCut.ts";
import { makePool, makeWindows } from "./pictureWindow.ts";
import { type DataDescription, type DataSource, type Skipped, sumOfSums } from "./source.ts";

export interface PatchOptions {
  /** Files of the large pictures. */
  readonly pictures: readonly string[];
  /** How many times smaller the low-resolution pictures are. */
  readonly scale: number;
  /** Side of a target patch, in pixels; a multiple of the scale. */
  readonly patch: number;
  /** Patches per step. */
  readonly batch: number;
  /** BT.601 luma in studio range, or three colors. */
  readonly color: "y" | "rgb";
  /** The low-resolution patch itself, or enlarged again by bicubic interpolation to the size of the target. */
  readonly input: "enlarged" | "lr";
  readonly seed: number;
  /** Flips and quarter turns, the same for both patches. */
  readonly augment: boolean;
  /** How reduced copies come about; MATLAB's bicubic unless given. */
  readonly degradation?: Degradation;
  /** Bytes that decoded pictures may take. */
  readonly memory: number;
  /** Patches taken from each picture before a window makes way for the next. */
  readonly visits?: number;
}

/** Who opens pictures: `readPicture` and `probePicture` of the platform. */
export interface PictureReader {
  read(path: string): Promise<Picture>;
  probe(path: string): Promise<Size>;
}

export interface PatchTools extends PictureReader {
  readonly files: Pick<Files, "size" | "sha256">;
}

type Skip = (path: string, reason: string) => void;

interface Candidate extends Size {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Patches for super-resolution. The large picture is cropped to a multiple of the scale and shrunk as a whole by
 * MATLAB's bicubic interpolation to 8 bits; patches are cut at the same place of both and give
 * { input: [N, C, h, w], target: [N, C, H, W] }, 0…1. Luma is 16…235 of 255, computed from the 8-bit pictures, not
 * rounded. Pictures that cannot be used are skipped and listed; the picture after them in the list stands in.
 * @throws UserError for wrong options, and where no picture can be used
 */
export async function patchSource(options: PatchOptions, tools: PatchTools): Promise<DataSource> {
  checkOptions(options);
  const skipped: Skipped[] = [];
  const skip: Skip = (path, reason) => {
    if (skipped.every((other) => other.path !== path)) skipped.push({ path, reason });
  };
  const pictures = await survey(options, tools, skip);
  if (pictures.length === 0) throw noneUsable(skipped);
  const size = windowSize(pictures, options);
  const steps = Math.ceil((size * (options.visits ?? 64)) / options.batch);
  const windows = makeWindows({ ...options, count: pictures.length, size, steps });
  const pool = makePool((index) => prepare(pictures[index]!.path, options, tools, skip));
  const isWhole = size === pictures.length;
  let current: number | undefined;

  /** The pair of a picture, or of the next one that can be used. */
  const pairOf = async (index: number): Promise<Pair> => {
    for (let i = 0; i < pictures.length; i++) {
      const pair = await pool.get((index + i) % pictures.length);
      if (pair) return pair;
    }
    throw noneUsable(skipped);
  };
  return {
    description: { ...(await describe(pictures)), ...(!isWhole && { pool: size }) },
    skipped,
    async batch(step) {
      const window = windows.of(step);
      if (window !== current) {
        pool.want([...windows.members(window), ...(isWhole ? [] : windows.members(window + 1))]);
        current = window;
      }
      return cutBatch(await Promise.all(windows.picks(step).map(pairOf)), step, options);
    },
  };
}

function checkOptions({ pictures, scale, patch, batch }: PatchOptions): void {
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
  if (pictures.length === 0) throw userError("pictures", "expected at least one file, got none");
  if (!isCount(scale)) throw userError(option("scale"), `expected a whole number above zero, got ${scale}`);
  if (!isCount(batch)) throw userError(option("batch"), `expected a whole number above zero, got ${batch}`);
  if (!isCount(patch) || patch % scale !== 0)
    throw userError(option("patch"), `expected a multiple of the scale ${scale}, got ${patch}`);
}

/** Sizes and sums of all files; those that are no pictures or are too small are skipped. */
async function survey(
  { pictures, scale, patch }: PatchOptions,
  { files, probe }: PatchTools,
  skip: Skip,
): Promise<readonly Candidate[]> {
  const usable: Candidate[] = [];
  for (const path of pictures) {
    try {
      const { width, height } = await probe(path);
      if (Math.min(width, height) < Math.max(patch, scale))
        skip(path, `${path}: expected at least ${patch}×${patch} pixels for a patch, got ${width}×${height}.`);
      else usable.push({ path, width, height, bytes: (await files.size(path)) ?? 0, sha256: await files.sha256(path) });
    } catch (error) {
      skip(path, messageOf(error));
    }
  }
  return usable;
}

/** A UserError's text; everything else is our fault and goes on its way. */
const messageOf = (error: unknown): string => {
  if (error instanceof Error && error.name === "UserError") return error.message;
  throw error;
};

const noneUsable = (skipped: readonly Skipped[]): Error =>
  userError(
    "pictures",
    `expected at least one that can be used, got none of ${skipped.length}:\n${skipped
      .slice(0, 5)
      .map(({ reason }) => `  ${reason}`)
      .join("\n")}\nCheck the folder and the size of the patches.`,
  );

/** How many pictures fit into the memory: all, or so many that two windows of the largest do. */
function windowSize(pictures: readonly Candidate[], { memory, input, scale }: PatchOptions): number {
  const share = input === "enlarged" ? 1 : 1 / scale ** 2;
  const sizes = pictures.map(({ width, height }) => width * height * 3 * (1 + share)).sort((a, b) => b - a);
  if (sizes.reduce((sum, size) => sum + size, 0) <= memory) return pictures.length;
  let [count, sum] = [0, 0];
  while (sum + sizes[count]! <= memory / 2) sum += sizes[count++]!;
  return Math.max(1, count);
}

/** The sum is over base names, so that it does not depend on where the folder lies. */
async function describe(pictures: readonly Candidate[]): Promise<DataDescription> {
  const named = pictures.map(({ path, sha256 }) => ({ name: path.slice(path.lastIndexOf("/") + 1), sha256 }));
  const bytes = pictures.reduce((sum, picture) => sum + picture.bytes, 0);
  return { count: pictures.length, bytes, sha256: await sumOfSums(named) };
}

/** Decodes, shrinks and enlarges; undefined, with a reason noted, for a picture that cannot be used. */
async function prepare(
  path: string,
  { scale, input, degradation = bicubicReduction }: PatchOptions,
  { read }: PictureReader,
  skip: Skip,
): Promise<Pair | undefined> {
  try {
    const target = modcrop(toRgb(plainPicture(await read(path))), scale);
    const lr = scale === 1 ? target : degradation.reduce(target, scale);
    return { target, input: input === "lr" || scale === 1 ? lr : enlargedTo(target, lr) };
  } catch (error) {
    skip(path, messageOf(error));
    return undefined;
  }
}
