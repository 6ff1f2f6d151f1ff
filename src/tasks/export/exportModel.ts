import { z } from "zod";
import { exportModel as pack } from "../../modelFiles/export.ts";
import { loadModel } from "../../modelFiles/read.ts";
import { defineTask, type Progress } from "../common/task.ts";

/** What `exportModel` can be asked for. */
export const exportOptions = z.object({
  output: z.string().min(1).describe("file to write: .onnx or .safetensors").meta({ short: "o", placeholder: "file" }),
  scale: z.int().min(1).max(16).optional().describe("what foreign weights enlarge by"),
  half: z.boolean().default(false).describe("weights as float16: half as large a file"),
  force: z.boolean().default(false).describe("replace a file that is already there").meta({ short: "f" }),
});

/** What was written. */
export interface Exported {
  readonly model: string;
  readonly output: string;
  readonly bytes: number;
}

/** Writes a model as .onnx or .safetensors, by the name's ending. */
export const exportModel = defineTask({
  name: "exportModel",
  summary: "Write a model as ONNX, for other programs, or as safetensors.",
  takes: "model",
  options: exportOptions,
  gives: "file",
  async *run(given, { output, scale, half, force }, { platform, signal }): AsyncGenerator<Progress, Exported> {
    await platform.checkTarget(output, force);
    const model = typeof given === "string" ? await loadModel(given, platform, { scale }) : given;
    yield { done: 1, total: 2, what: "read" };
    const bytes = pack(model, output, half);
    signal?.throwIfAborted();
    await platform.files.write(output, bytes);
    return { model: model.name, output, bytes: bytes.length };
  },
});
