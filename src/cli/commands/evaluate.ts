import { z } from "zod";
import { evaluate, evaluateOptions } from "../../tasks/evaluate.ts";
import { evaluationJson, evaluationTable, reportWriter } from "../../tasks/report.ts";
import { defineCommand, jsonOption, runtimeChoice, runtimeOptions } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson, statusLine } from "../io.ts";

const options = z.object({
  ...evaluateOptions.shape,
  output: z
    .string()
    .min(1)
    .optional()
    .describe("report to write: .csv, .md or .json")
    .meta({ short: "o", placeholder: "file" }),
  force: z.boolean().default(false).describe("replace a report that is already there").meta({ short: "f" }),
  ...runtimeOptions,
  json: jsonOption.json.describe(
    "print one JSON document on stdout; the infinite PSNR of equal pictures is null there",
  ),
});

export const evaluateCommand = defineCommand({
  name: "evaluate",
  summary: `Score methods and networks on a folder of pictures by the protocol of published tables:
originals cropped to a multiple of the scale, reduced by MATLAB's bicubic, enlarged, rounded
to 8 bits, compared on luma (BT.601) without a rim of as many pixels as the scale.`,
  arguments: [],
  options,
  examples: [
    "imago evaluate --data Set5 --method bicubic --scale 2,3,4",
    "imago evaluate --data Set5 --method bicubic --model srcnn-x2,runs/mine --scale 2 -o report.md",
  ],
  async run(_, given, { io, platform }) {
    const { output, force, json, runtime, threads, ...task } = given;
    const write = output === undefined ? undefined : reportWriter(output);
    if (output !== undefined) await platform.checkTarget(output, force);
    const status = statusLine(io);
    const evaluation = await evaluate(task, platform, {
      runtime: runtimeChoice({ runtime, threads }),
      signal: io.signal,
      onScore: ({ method, picture, psnr }, done, total) =>
        status.show(`${done}/${total}  ${picture}  ${method}  ${psnr.toFixed(2)} dB`),
    }).finally(status.clear);
    if (output !== undefined) await platform.files.write(output, write!(evaluation));
    if (json) printJson(io, evaluationJson(evaluation));
    else io.out(`${evaluationTable(evaluation)}\n`);
    return exit.done;
  },
});
