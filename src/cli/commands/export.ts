import { z } from "zod";
import { exportModel } from "../../modelFiles/export.ts";
import { loadModel } from "../../modelFiles/read.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson } from "../io.ts";

export const exportCommand = defineCommand({
  name: "export",
  summary: "Write a model as ONNX, for other programs, or as safetensors.",
  arguments: [{ name: "model", description: "a shipped model, a model file or a run's folder", isRequired: true }],
  options: z.object({
    output: z
      .string()
      .min(1)
      .describe("file to write: .onnx or .safetensors")
      .meta({ short: "o", placeholder: "file" }),
    scale: z.int().min(1).max(16).optional().describe("what foreign weights enlarge by"),
    half: z.boolean().default(false).describe("weights as float16: half as large a file"),
    force: z.boolean().default(false).describe("replace a file that is already there").meta({ short: "f" }),
    ...jsonOption,
  }),
  examples: ["imago export srcnn-x2 -o srcnn-x2.onnx", "imago export runs/mine -o mine.safetensors"],
  async run([name], { output, scale, half, force, json }, { io, platform }) {
    await platform.checkTarget(output, force);
    const model = await loadModel(name!, platform, { scale });
    const bytes = exportModel(model, output, half);
    await platform.files.write(output, bytes);
    if (json) printJson(io, { model: model.name, output, bytes: bytes.length });
    else io.out(`${output}  ${bytes.length} bytes\n`);
    return exit.done;
  },
});
