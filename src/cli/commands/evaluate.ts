import { z } from "zod";
import { userError } from "../../errors.ts";
import { taskOf } from "../../modelFiles/read.ts";
import { evaluationJson, evaluationTable, reportWriter } from "../../report/evaluation.ts";
import { type Judged, judgedJson, judgedText, judgedWriter } from "../../report/judgment.ts";
import { judgeOptions } from "../../tasks/common/judging.ts";
import { judge } from "../../tasks/evaluate/judge.ts";
import { evaluate, evaluateOptions } from "../../tasks/upscale/judge.ts";
import { type Context, defineCommand, jsonOption, runtimeChoice, runtimeOptions } from "../command.ts";
import { exit } from "../exit.ts";
import { printJson, statusLine } from "../io.ts";
import { provenanceOf, provenanceOptions, writeReport } from "../provenance.ts";

const { model: _, data: __, ...judging } = judgeOptions.shape;

const options = z.object({
  ...evaluateOptions.shape,
  ...judging,
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
  force: z.boolean().default(false).describe("replace a file that is already there").meta({ short: "f" }),
  ...provenanceOptions,
  ...runtimeOptions,
  json: jsonOption.json.describe(
    "print one JSON document on stdout; the infinite PSNR of equal pictures is null there",
  ),
});

type Options = z.output<typeof options>;

/** Judges each model by itself, and writes the report and the sheet. */
async function judgeAll(given: Options, { io, platform }: Context): Promise<number> {
  const { model: models, output, sheet, force, json, runtime, threads, ...task } = given;
  const write = output === undefined ? undefined : judgedWriter(output);
  if (sheet !== undefined) await checkSheet(models, platform);
  for (const path of [output, sheet]) if (path !== undefined) await platform.checkTarget(path, force);
  const status = statusLine(io);
  const onProgress = (what: string, done: number, total: number) => status.show(`${done}/${total}  ${what}`);
  const choice = { ...runtimeChoice({ runtime, threads }), signal: io.signal, onProgress };
  const judged: Judged[] = [];
  for (const model of models) {
    const judgment = await judge({ ...task, model }, platform, choice).finally(status.clear);
    judged.push({ model, ...judgment });
  }
  const provenance = sheet || output ? await provenanceOf("evaluate", given, platform) : undefined;
  if (sheet !== undefined) await platform.codec.write(sheet, judged[0]!.sheet!, { force, provenance });
  if (output !== undefined) await writeReport(output, write!(judged), provenance, platform);
  if (json) printJson(io, judgedJson(judged));
  else io.out(`${judged.map(judgedText).join("\n\n")}\n`);
  return exit.done;
}

async function checkSheet(models: readonly string[], platform: Context["platform"]): Promise<void> {
  const [model, other] = models as readonly [string, string?];
  if (other !== undefined) throw userError("--sheet", `expected one model to draw, got ${models.length}`);
  if ((await taskOf(model, platform)) !== "generate")
    throw userError("--sheet", `expected a generator, got ${model}, which makes no pictures`);
}

export const evaluateCommand = defineCommand({
  name: "evaluate",
  summary: `Score methods and networks on a folder of pictures by the protocol of published tables:
originals cropped to a multiple of the scale, reduced by MATLAB's bicubic, enlarged, rounded
to 8 bits, compared on luma (BT.601) without a rim of as many pixels as the scale.
Models of small pictures (--data is a data set then): autoencoders by their error beside that of
as many principal components, classifiers by accuracy, discriminators by their scores of real
pictures, generators by FID, KID, precision, recall and nearest training pictures on the features
of a classifier (--judge) or of Inception v3 (--features, weights that you bring), and, with
classes and --judge, accuracy. Such figures compare on the same features, resize and count only.`,
  arguments: [],
  options,
  examples: [
    "imago evaluate --data Set5 --method bicubic --scale 2,3,4",
    "imago evaluate --data Set5 --method bicubic --model srcnn-x2,runs/mine --scale 2 -o report.md",
    "imago evaluate --data mnist --model runs/dcgan --judge runs/classifier --sheet nearest.png",
    "imago evaluate --data mnist --model runs/dcgan --features inception.safetensors --count 5000",
  ],
  async run(_, given, context) {
    const { io, platform } = context;
    const [first] = given.method.length === 0 ? given.model : [];
    if (first !== undefined && (await taskOf(first, platform)) !== "upscale") return judgeAll(given, context);
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
    if (output !== undefined)
      await writeReport(output, write!(evaluation), await provenanceOf("evaluate", given, platform), platform);
    if (json) printJson(io, evaluationJson(evaluation));
    else io.out(`${evaluationTable(evaluation)}\n`);
    return exit.done;
  },
});
