import { z } from "zod";
import { userError } from "../../errors.ts";
import type { Picture } from "../../image/picture.ts";
import { resize } from "../../image/resize.ts";
import type { Convention } from "../../image/taps.ts";
import { listModels } from "../../modelFiles/names.ts";
import { loadModelFor } from "../../modelFiles/read.ts";
import { checkOptions } from "../../options/schema.ts";
import type { LazyRuntime } from "../../platform/lazyRuntime.ts";
import type { Platform } from "../../platform/platform.ts";
import { defineTask, type Progress, ticksOf } from "../common/task.ts";
import { networkUpscaler } from "./networkUpscaler.ts";
import { enlargedSize, type Upscaler } from "./upscaler.ts";

export const methods = ["nearest", "bilinear", "bicubic", "lanczos"] as const;
export type ClassicMethod = (typeof methods)[number];
export const conventions = ["matlab", "opencv", "pillow"] as const;

/** What `upscale` can be asked for. */
export const upscaleOptions = z.object({
  scale: z
    .number()
    .min(1)
    .max(32)
    .optional()
    .describe("how many times wider and taller; the model's own unless given, 2 for a method"),
  method: z.enum(methods).optional().describe("a classic interpolation in place of a network"),
  model: z
    .string()
    .min(1)
    .optional()
    .describe("a shipped network, a .safetensors or .onnx file, or a run's folder; srcnn where shipped, else bicubic")
    .meta({ placeholder: "model" }),
  convention: z.enum(conventions).default("matlab").describe("whose arithmetic a method repeats"),
  tile: z
    .int()
    .min(32)
    .max(1024)
    .default(256)
    .describe("side of the square that a network works on at a time, in pixels"),
});

export type UpscaleOptions = z.input<typeof upscaleOptions>;

/**
 * Opens a method or a network for many pictures. The runtime is started only when a network runs.
 * @throws UserError for options or a model that do not fit
 */
export async function openUpscaler(
  options: UpscaleOptions,
  platform: Platform,
  runtime: LazyRuntime,
): Promise<Upscaler> {
  const checked = checkOptions(upscaleOptions, options, (name) => `upscale › ${name}`);
  const { method, model, convention, tile } = checked;
  if (method && model) throw userError("upscale", `expected a method or a model, got ${method} and ${model}`);
  const chosen = method ? undefined : (model ?? (await defaultModel(platform, checked.scale)));
  if (chosen === undefined) return classicUpscaler(method ?? "bicubic", convention, checked.scale ?? 2);
  return networkUpscaler(await loadModelFor("upscale", chosen, platform, checked), runtime, tile);
}

const defaultModel = async (platform: Platform, scale = 2): Promise<string | undefined> =>
  (await listModels(platform)).find((name) => name === `srcnn-x${scale}`);

const classicUpscaler = (method: ClassicMethod, convention: Convention, scale: number): Upscaler => ({
  name: method,
  scale,
  seams: "exact",
  async run(picture, { signal, onProgress } = {}) {
    signal?.throwIfAborted();
    const size = enlargedSize(picture, scale, convention);
    const factor = convention === "matlab" ? scale : undefined;
    const enlarged = resize(picture, size, { method, convention, factor });
    onProgress?.(1, 1);
    return enlarged;
  },
  dispose: async () => {},
});

/** Enlarges one picture; ticks count tiles. */
export const upscale = defineTask({
  name: "upscale",
  summary: "Enlarge pictures with a super-resolution network or a classic method.",
  takes: "picture",
  options: upscaleOptions,
  gives: "picture",
  async *run(picture, options, { platform, runtime, signal }): AsyncGenerator<Progress, Picture> {
    const upscaler = await openUpscaler(options, platform, runtime);
    try {
      return yield* ticksOf<Progress, Picture>(signal, (tell, signal) =>
        upscaler.run(picture, { signal, onProgress: (done, total) => tell({ done, total }) }),
      );
    } finally {
      await upscaler.dispose();
    }
  },
});
