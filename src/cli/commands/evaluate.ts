import { z } from "zod";
import { evaluate, evaluateOptions } from "../../tasks/evaluate.ts";
import { type Judgment, judge, judgeOptions } from "../../tasks/judge.ts";
import { taskOf } from "../../tasks/modelFile.ts";
import { alignedTable, evaluationJson, evaluationTable, reportWriter } from "../../tasks/report.ts";
import { defineCommand, jsonOption, runtimeChoice, runtimeOptions } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson, statusLine } from "../io.ts";

const { judge: judgeModel, count, seed } = judgeOptions.shape;

const options = z.object({
  ...evaluateOptions.shape,
  judge: judgeModel,
  count,
  seed,
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

interface Judged {
  readonly model: string;
  readonly figures: Judgment;
}

/** A line a figure, under the model's name. */
const textOf = ({ model, figures }: Judged): string =>
  alignedTable(
    [model, ""],
    Object.entries(figures).map(([name, value]) => [name, String(Number(value.toPrecision(5)))]),
  );

export const evaluateCommand = defineCommand({
  name: "evaluate",
  summary: `Score methods and networks on a folder of pictures by the protocol of published tables:
originals cropped to a multiple of the scale, reduced by MATLAB's bicubic, enlarged, rounded
to 8 bits, compared on luma (BT.601) without a rim of as many pixels as the scale.
Models of small pictures (--data is a data set then): autoencoders by their error beside that of
as many principal components, classifiers by accuracy, generators by FID, KID, precision, recall
and, with classes, accuracy on the features of a classifier (--judge).`,
  arguments: [],
  options,
  examples: [
    "imago evaluate --data Set5 --method bicubic --scale 2,3,4",
    "imago evaluate --data Set5 --method bicubic --model srcnn-x2,runs/mine --scale 2 -o report.md",
    "imago evaluate --data mnist --model runs/dcgan --judge runs/classifier",
  ],
  async run(_, given, { io, platform }) {
    const { output, force, json, runtime, threads, judge: by, count, seed, ...task } = given;
    const [first] = task.method.length === 0 ? task.model : [];
    if (first !== undefined && (await taskOf(first, platform)) !== "upscale") {
      const choice = runtimeChoice({ runtime, threads });
      const judged: Judged[] = [];
      for (const model of task.model) {
        const one = { model, data: task.data, count, seed, ...(by && { judge: by }) };
        judged.push({ model, figures: await judge(one, platform, choice) });
      }
      if (json) printJson(io, { models: judged.map(({ model, figures }) => ({ model, ...figures })) });
      else io.out(`${judged.map(textOf).join("\n\n")}\n`);
      return exit.done;
    }
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
