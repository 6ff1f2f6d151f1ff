import { z } from "zod";
import { option, userError } from "../../errors.ts";
import type { Picture, Size } from "../../image/picture.ts";
import { resize } from "../../image/resize.ts";
import { loadModelFor } from "../../modelFiles/read.ts";
import { newestRun } from "../../modelFiles/runs.ts";
import type { UseOf } from "../../nn/use.ts";
import { defineTask, type Progress } from "../common/task.ts";
import { openTranslator } from "./translator.ts";

/** What `translate` can be asked for. */
export const translateOptions = z.object({
  model: z
    .string()
    .min(1)
    .optional()
    .describe(
      "a network that turns pictures into others: a .safetensors file or a run's folder; the newest in runs/ unless given",
    )
    .meta({ placeholder: "model" }),
  side: z
    .int()
    .min(16)
    .max(8192)
    .optional()
    .describe("shorter side of the result; the size that the network learned at unless given, in pixels"),
});

export type TranslateOptions = z.input<typeof translateOptions>;

/** The news of a translation. */
export interface TranslateTick extends Progress {
  /** The model that is used, when none was named. */
  readonly model?: string;
}

/** A picture's size with a shorter side of the given length. */
function sized({ width, height }: Size, side: number): Size {
  const factor = side / Math.min(width, height);
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/** The picture at the size that the network works at. */
function prepared(picture: Picture, { size }: UseOf<"translate">, side: number | undefined): Picture {
  const wanted = side ?? size;
  if (wanted === undefined) return picture;
  const target = sized(picture, wanted);
  if (target.width === picture.width && target.height === picture.height) return picture;
  return resize(picture, target, { method: "bicubic", convention: "pillow" });
}

/** Turns one picture into another: what the network was trained for, edges into shoes. */
export const translate = defineTask({
  name: "translate",
  summary: "Turn a picture into another with a network that learned it from pairs.",
  takes: "picture",
  options: translateOptions,
  gives: "picture",
  async *run(picture, { model: named, side }, { platform, runtime, signal }): AsyncGenerator<TranslateTick, Picture> {
    const name = named ?? (await newestRun("translate", platform));
    if (name === undefined)
      throw userError(
        option("model"),
        "expected a network that turns pictures into others, got none",
        "Train one: imago train pix2pix.",
      );
    const model = await loadModelFor("translate", name, platform);
    yield { done: 0, total: 1, ...(named === undefined && { model: name }) };
    const translator = openTranslator(model, await runtime.get());
    try {
      signal?.throwIfAborted();
      return await translator.run(prepared(picture, model.usage, side));
    } finally {
      await translator.dispose();
    }
  },
});
