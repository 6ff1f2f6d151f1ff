import { exportModel } from "../../tasks/export/exportModel.ts";
import { jsonOption } from "../command.ts";
import { printJson } from "../io.ts";
import { taskCommand } from "../taskCommand.ts";

export const exportCommand = taskCommand(exportModel, {
  name: "export",
  arguments: [{ name: "model", description: "a shipped model, a model file or a run's folder", isRequired: true }],
  flags: jsonOption,
  examples: ["imago export srcnn-x2 -o srcnn-x2.onnx", "imago export runs/mine -o mine.safetensors"],
  input: ([name]) => name!,
  async show(exported, { json }, { io }) {
    if (json) printJson(io, exported);
    else io.out(`${exported.output}  ${exported.bytes} bytes\n`);
  },
});
