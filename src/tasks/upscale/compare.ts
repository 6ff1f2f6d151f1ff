import { z } from "zod";
import { userError } from "../../errors.ts";
import { comparisonSheet, detailedCrops, type SheetColumn } from "../../image/draw/sheet.ts";
import { type Box, crop, modcrop, type Picture } from "../../image/picture.ts";
import { plainPicture } from "../../image/reduce.ts";
import { resize } from "../../image/resize.ts";
import { type Score, score } from "../../metrics/protocol.ts";
import { defineTask, type Progress, type TaskTools } from "../common/task.ts";
import { conventions, methods, openUpscaler, type UpscaleOptions, upscaleOptions } from "./upscale.ts";

/** What `compare` can be asked for. */
export const compareOptions = z.object({
  scale: z.int().min(2).max(16).default(3).describe("how many times the picture is reduced and enlarged again"),
  method: z.array(z.enum(methods)).default(["bilinear", "bicubic"]).describe("classic interpolations to show"),
  model: z.array(z.string().min(1)).default([]).describe("networks to show, as upscale takes them"),
  convention: z.enum(conventions).default("matlab").describe("whose arithmetic reduces and enlarges"),
  reduce: z.enum(["bilinear", "bicubic", "lanczos"]).default("bicubic").describe("interpolation that reduces"),
  crops: z.int().min(1).max(6).default(3).describe("details to enlarge, chosen where there is most of it"),
  shave: z.int().min(0).max(256).optional().describe("rim that scores leave out, the scale unless given, in pixels"),
  tile: upscaleOptions.shape.tile,
});

export type CompareOptions = z.input<typeof compareOptions>;

/** One way of enlarging and what came of it. */
export interface ComparedResult extends Score {
  readonly method: string;
  readonly picture: Picture;
}

export interface Comparison {
  /** The original, cropped to a multiple of the scale; 8-bit. */
  readonly original: Picture;
  readonly reduced: Picture;
  readonly results: readonly ComparedResult[];
  readonly crops: readonly Box[];
  /** All of it on one sheet. */
  readonly sheet: Picture;
}

const entriesOf = ({ method, model }: z.output<typeof compareOptions>): readonly UpscaleOptions[] => [
  ...method.map((one) => ({ method: one })),
  ...model.map((one) => ({ model: one })),
];

async function enlarge(picture: Picture, options: UpscaleOptions, { platform, runtime, signal }: TaskTools) {
  const upscaler = await openUpscaler(options, platform, runtime);
  try {
    return { method: upscaler.name, picture: await upscaler.run(picture, { signal }) };
  } finally {
    await upscaler.dispose();
  }
}

const noteOf = ({ psnr, ssim }: Score): string =>
  `${Number.isFinite(psnr) ? psnr.toFixed(2) : "∞"} dB / ${ssim.toFixed(4)}`;

/** The PSNR of one crop; nothing where it is too small to say anything. */
const cropNote = (result: Picture, original: Picture, box: Box): string => {
  const { psnr } = score(crop(result, box), crop(original, box), { color: "y", shave: 0 });
  return Number.isFinite(psnr) ? `${psnr.toFixed(2)} dB` : "equal";
};

type SheetParts = Omit<Comparison, "sheet"> & { readonly scale: number };

function drawSheet({ original, reduced, results, crops, scale }: SheetParts): Picture {
  const isScored = crops.every(({ width, height }) => Math.min(width, height) >= 11);
  const columns: SheetColumn[] = [
    { label: "original", picture: original, note: `${original.width}×${original.height}` },
    ...results.map(({ method, picture, ...scored }) => ({
      label: method,
      picture,
      note: noteOf(scored),
      ...(isScored && { cropNotes: crops.map((box) => cropNote(picture, original, box)) }),
    })),
  ];
  const title = `Reduced ÷${scale} to ${reduced.width}×${reduced.height} and enlarged again; PSNR and SSIM of luma`;
  return comparisonSheet({ columns, crops, title });
}

/** The news of one way of enlarging. PSNR in dB; Infinity where the result equals the original. */
export interface CompareTick extends Progress {
  readonly what: string;
  readonly score: Score;
}

/**
 * Reduces a picture and enlarges it again by several methods: the original beside every result, with PSNR and SSIM on
 * luma, and the same details of each enlarged.
 */
export const compare = defineTask({
  name: "compare",
  summary:
    "Reduce a picture, enlarge it by several methods, and draw them next to the original with details and scores.",
  takes: "picture",
  options: compareOptions,
  gives: "sheet",
  async *run(picture, options, tools): AsyncGenerator<CompareTick, Comparison> {
    const { scale, convention, tile, shave = scale } = options;
    const original = modcrop(plainPicture(picture), scale);
    const size = { width: original.width / scale, height: original.height / scale };
    if (Math.min(original.width, original.height) < 11 + 2 * shave)
      throw userError("compare", `expected a picture large enough to score, got ${picture.width}×${picture.height}`);
    const reduced = resize(original, size, { method: options.reduce, convention });
    const entries = entriesOf(options);
    const results: ComparedResult[] = [];
    for (const one of entries) {
      tools.signal?.throwIfAborted();
      const made = await enlarge(reduced, { ...one, scale, convention, tile }, tools);
      const found = score(made.picture, original, { color: "y", shave });
      results.push({ ...made, ...found });
      const [done, total] = [results.length, entries.length];
      yield { done, total, what: made.method, preview: made.picture, score: found };
    }
    const crops = detailedCrops(original, options.crops);
    return { original, reduced, results, crops, sheet: drawSheet({ original, reduced, results, crops, scale }) };
  },
});
