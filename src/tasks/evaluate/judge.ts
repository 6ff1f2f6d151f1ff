import { userError } from "../../errors.ts";
import { loadModel } from "../../modelFiles/read.ts";
import { uses } from "../../nn/use.ts";
import { checkOptions } from "../../options/schema.ts";
import type { Platform, RuntimeChoice } from "../../platform/platform.ts";
import { type JudgeHooks, type JudgeOptions, type Judgment, judgeOptions } from "../common/judging.ts";
import { workOf } from "../uses.ts";

/**
 * Judges a model of small pictures by what models of its use are judged by.
 * @throws UserError for options, a model or data that do not fit; the signal's reason when it is aborted
 */
export async function judge(
  options: JudgeOptions,
  platform: Platform,
  { signal, onProgress, ...choice }: RuntimeChoice & JudgeHooks = {},
): Promise<Judgment> {
  const checked = checkOptions(judgeOptions, options, (name) => `judge › ${name}`);
  const model = await loadModel(checked.model, platform);
  const { judge: judgeBy, cure } = workOf(model.usage.task);
  if (!judgeBy)
    throw userError(
      checked.model,
      `expected a model that makes, rebuilds or judges small pictures, got one that ${uses[model.usage.task].does}`,
      cure,
    );
  const runtime = await platform.runtime(choice);
  try {
    return await judgeBy(model, { options: checked, platform, runtime, hooks: { signal, onProgress } });
  } finally {
    await runtime.dispose();
  }
}
