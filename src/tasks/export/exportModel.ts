import { z } from "zod";
import type { Provenance } from "../../image/provenance.ts";
import { exportModel as pack } from "../../modelFiles/export.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import { loadModel } from "../../modelFiles/read.ts";
import type { Platform } from "../../platform/platform.ts";
import { metadataOption, recordOf } from "../common/record.ts";
import { defineTask, type Progress } from "../common/task.ts";

/** What `exportModel` can be asked for. */
export const exportOptions = z.object({
  output: z.string().min(1).describe("file to write: .onnx or .safetensors").meta({ short: "o", placeholder: "file" }),
  scale: z.int().min(1).max(16).optional().describe("what foreign weights enlarge by"),
  half: z.boolean().default(false).describe("weights as float16: half as large a file"),
  force: z.boolean().default(false).describe("replace a file that is already there").meta({ short: "f" }),
  metadata: metadataOption,
});

/** What was written. */
export interface Exported {
  readonly model: string;
  readonly output: string;
  readonly bytes: number;
}

/**
 * What made an exported file. A model in memory may be another one than its file holds, so that it has a name alone.
 */
function recordFor(given: LoadedModel | string, options: object, platform: Platform): Promise<Provenance> {
  if (typeof given === "string")
    return recordOf({ task: "exportModel", options: { model: given, ...options } }, platform);
  return recordOf({ task: "exportModel", options: { model: given.name, ...options }, models: [] }, platform);
}

/** Writes a model as .onnx or .safetensors, by the name's ending. */
export const exportModel = defineTask({
  name: "exportModel",
  summary: "Write a model as ONNX, for other programs, or as safetensors.",
  takes: "model",
  options: exportOptions,
  gives: "file",
  async *run(given, options, { platform, signal }): AsyncGenerator<Progress, Exported> {
    const { output, scale, half, force, metadata } = options;
    await platform.checkTarget(output, force);
    const model = typeof given === "string" ? await loadModel(given, platform, { scale }) : given;
    yield { done: 1, total: 2, what: "read" };
    const provenance = metadata ? await recordFor(given, { scale, half }, platform) : undefined;
    const bytes = pack(model, output, { half, provenance });
    signal?.throwIfAborted();
    await platform.files.write(output, bytes);
    return { model: model.name, output, bytes: bytes.length };
  },
});
