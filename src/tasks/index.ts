import { benchTask } from "./bench/bench.ts";
import { evaluate } from "./evaluate/evaluate.ts";
import { exportModel } from "./export/exportModel.ts";
import { generate } from "./generate/generate.ts";
import { mixStyles } from "./generate/mixStyles.ts";
import { reconstruct } from "./reconstruct/reconstruct.ts";
import { show } from "./show/show.ts";
import { resume, train } from "./train/trainTask.ts";
import { translate } from "./translate/translate.ts";
import { compare } from "./upscale/compare.ts";
import { upscale } from "./upscale/upscale.ts";

/** Every task. The Node door is made from this list, and other front ends find all that they need in it. */
export const tasks = [
  upscale,
  compare,
  evaluate,
  generate,
  mixStyles,
  reconstruct,
  translate,
  train,
  resume,
  exportModel,
  show,
  benchTask,
] as const;

/** A name of a task: "upscale". */
export type TaskName = (typeof tasks)[number]["name"];
