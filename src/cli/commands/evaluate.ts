import { z } from "zod";
import { userError } from "../../errors.ts";
import { taskOf } from "../../modelFiles/read.ts";
import { evaluationJson, evaluationTable, reportWriter } from "../../report/evaluation.ts";
import { judgedJson, judgedText, judgedWriter } from "../../report/judgment.ts";
import { type Evaluated, evaluate } from "../../tasks/evaluate/evaluate.ts";
import { type Context, jsonOption, runtimeOptions, sheetOptions } from "../command.ts";
import { printJson } from "../io.ts";
import { writeReport } from "../provenance.ts";
import { taskCommand } from "../taskCommand.ts";

const flags = {
  sheet: z
    .string()
    .min(1)
    .optional()
    .describe(
      "for generators: picture to write, made pictures above the training pictures nearest by pixels and features",
    )
    .meta({ placeholder: "file" }),
  output: z
    .string()
    .min(1)
    .optional()
    .describe("report to write: .csv, .md or .json")
    .meta({ short: "o", placeholder: "file" }),
  force: sheetOptions("").force,
  ...runtimeOptions,
  json: jsonOption.json.describe(
    "print one JSON document on stdout; the infinite PSNR of equal pictures is null there",
  ),
};

async function checkSheet(models: readonly string[], platform: Context["platform"]): Promise<void> {
  const [model, other] = models as readonly [string?, string?];
  if (other !== undefined) throw userError("--sheet", `expected one model to draw, got ${models.length}`);
  if (model === undefined || (await taskOf(model, platform)) !== "generate")
    throw userError("--sheet", `expected a generator, got ${model ?? "none"}, which makes no pictures`);
}

/** A report as a file, as JSON and as a text for people: of upscalers, or of models of small pictures. */
const reports = {
  upscalers: {
    file: (path: string, result: Evaluated) => reportWriter(path)(result),
    json: evaluationJson,
    text: evaluationTable,
  },
  small: {
    file: (path: string, { models }: Evaluated) => judgedWriter(path)(models),
    json: ({ models }: Evaluated) => judgedJson(models),
    text: ({ models }: Evaluated) => models.map(judgedText).join("\n\n"),
  },
};

export const evaluateCommand = taskCommand(evaluate, {
  summary: `Score methods and networks on a folder of pictures by the protocol of published tables:
originals cropped to a multiple of the scale, reduced by MATLAB's bicubic, enlarged, rounded
to 8 bits, compared on luma (BT.601) without a rim of as many pixels as the scale.
Models of small pictures (--data is a data set then): autoencoders by their error beside that of
as many principal components, classifiers by accuracy, discriminators by their scores of real
pictures, generators by FID, KID, precision, recall and nearest training pictures on the features
of a classifier (--judge) or of Inception v3 (--features, weights that you bring), and, with
classes and --judge, accuracy. Such figures compare on the same features, resize and count only.`,
  flags,
  isRecorded: true,
  examples: [
    "imago evaluate --data Set5 --method bicubic --scale 2,3,4",
    "imago evaluate --data Set5 --method bicubic --model srcnn-x2,runs/mine --scale 2 -o report.md",
    "imago evaluate --data mnist --model runs/dcgan --judge runs/classifier --sheet nearest.png",
    "imago evaluate --data mnist --model runs/dcgan --features inception.safetensors --count 5000",
  ],
  async plan(_, { model, output, sheet, force }, { platform }) {
    if (output !== undefined) reportWriter(output);
    if (sheet !== undefined) await checkSheet(model, platform);
    for (const path of [output, sheet]) if (path !== undefined) await platform.checkTarget(path, force);
  },
  input: () => undefined,
  async show(result, { output, sheet, force, json }, { io, platform, made }) {
    const provenance = sheet !== undefined || output !== undefined ? await made() : undefined;
    const report = reports[result.models.length > 0 ? "small" : "upscalers"];
    if (sheet !== undefined) await platform.codec.write(sheet, result.models[0]!.sheet!, { force, provenance });
    if (output !== undefined) await writeReport(output, report.file(output, result), provenance, platform);
    if (json) printJson(io, report.json(result));
    else io.out(`${report.text(result)}\n`);
  },
});
