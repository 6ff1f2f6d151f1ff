import { openPairs } from "../../data/sets/pairs.ts";
import { userError } from "../../errors.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import type { JudgeParts, Judgment } from "../common/judging.ts";
import { directed, scorePairs, usingTranslator } from "./watch.ts";

/**
 * Mean PSNR and SSIM of what a network makes of the test part of a paired set.
 * @throws UserError for a network that was not trained on pairs, and for pairs that cannot be read
 */
export async function judgeTranslator(
  model: LoadedModel<UseOf<"translate">>,
  { options, platform, runtime }: JudgeParts,
): Promise<Judgment> {
  const { size, channels, pairs } = model.usage;
  if (pairs === undefined || size === undefined)
    throw userError(model.path, "expected a network that was trained on pairs of one size, got another");
  const set = directed(await openPairs(options.data, { size, channels, part: "test" }, platform), model.usage);
  const figures = await usingTranslator(model, runtime, (translator) => scorePairs(set, translator, options.count));
  return { figures: { ...figures, pictures: Math.min(options.count, set.source.description.count) } };
}
