import { z } from "zod";
import { shortName } from "../../modelFiles/names.ts";
import { taskOf } from "../../modelFiles/read.ts";
import { type Judged, type JudgeOptions, judgeOptions } from "../common/judging.ts";
import { publicText, withoutUser } from "../common/record.ts";
import { defineTask, type Progress, type TaskTools, ticksOf } from "../common/task.ts";
import { type Evaluation, type PictureScore, scoreOptions, scoreUpscalers } from "../upscale/judge.ts";
import { judge } from "./judge.ts";

const { model: _, data: __, ...judging } = judgeOptions.shape;

/** What `evaluate` can be asked for. */
export const evaluateOptions = z.object({ ...scoreOptions.shape, ...judging });

export type EvaluateOptions = z.input<typeof evaluateOptions>;
type Checked = z.output<typeof evaluateOptions>;

/** Scores of upscalers, or figures of models of small pictures; the others are empty. */
export interface Evaluated extends Evaluation {
  readonly models: readonly Judged[];
}

/** The news of one picture, or of a part of the work. */
export interface EvaluateTick extends Progress {
  readonly score?: PictureScore;
}

/** Whether models of small pictures are judged: the use of the first model says so. */
async function isOfSmallPictures({ method, model: [first] }: Checked, { platform }: TaskTools): Promise<boolean> {
  return method.length === 0 && first !== undefined && (await taskOf(first, platform)) !== "upscale";
}

/** Judges each model by itself. */
async function* judgeAll({ model: models, ...options }: Checked, tools: TaskTools): AsyncGenerator<Progress, Judged[]> {
  const { method, scale, color, shave, tile, ...asked } = options;
  const judged: Judged[] = [];
  for (const model of models) {
    tools.signal?.throwIfAborted();
    const { features, ...judgment } = yield* judgeOne({ ...asked, model }, tools);
    judged.push({
      model: publicText(shortName(model), tools.platform),
      ...(features !== undefined && { features: withoutUser(features, tools.platform) }),
      ...judgment,
    });
  }
  return judged;
}

const judgeOne = (options: JudgeOptions, { platform, choice, signal }: TaskTools) =>
  ticksOf<Progress, Omit<Judged, "model">>(signal, (tell, signal) =>
    judge(options, platform, { ...choice, signal, onProgress: (what, done, total) => tell({ done, total, what }) }),
  );

/**
 * Scores upscalers by the protocol of published tables, or judges models of small pictures by what their use is judged
 * by.
 */
export const evaluate = defineTask({
  name: "evaluate",
  summary: "Score methods and networks on a folder of pictures, or judge models of small pictures on a data set.",
  takes: "nothing",
  options: evaluateOptions,
  gives: "figures",
  async *run(_, options, tools): AsyncGenerator<EvaluateTick, Evaluated> {
    if (await isOfSmallPictures(options, tools))
      return { means: [], pictures: [], models: yield* judgeAll(options, tools) };
    return { ...(yield* scoreUpscalers(options, tools)), models: [] };
  },
});
