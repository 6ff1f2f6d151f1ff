import { firstExamples } from "../../data/firstBatches.ts";
import { openPart } from "../../data/openPart.ts";
import type { Runtime } from "../../engine/index.ts";
import { option, userError } from "../../errors.ts";
import { fid } from "../../metrics/fid.ts";
import { kid } from "../../metrics/kid.ts";
import type { UseOf } from "../../nn/use.ts";
import type { Platform } from "../../platform/platform.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { BestBy } from "../../train/bestKeeper.ts";
import { openClassifier } from "../classify/classifier.ts";
import { loadJudge, spreadOf } from "../common/judging.ts";
import { once } from "../common/once.ts";
import { heldOut, keptBy, type WatchParts } from "../common/watching.ts";
import { firstRows, type Generator } from "./generator.ts";

/** Pictures that are made for one score, and real ones that they are compared with, at most. */
const COUNT = 1000;

/** How far a generator is from real pictures, while it trains. */
export interface GeneratorScore {
  readonly best?: BestBy;
  scorer(runtime: Runtime): (generator: Generator) => Promise<Readonly<Record<string, number>>>;
}

/**
 * KID (or FID) by the features of the judge, of pictures from the same codes each time. They are compared with the
 * held-out pictures to validate with, else with pictures that are learned from, so that the part to judge by stays
 * unseen. None without a judge.
 * @throws UserError for a figure without a judge, or a judge that does not fit
 */
export async function planGeneratorScore(
  { usage, options, source, figure }: WatchParts<UseOf<"generate">>,
  platform: Platform,
): Promise<GeneratorScore | undefined> {
  const { judge: path, validate, seed } = options;
  if (path === undefined && figure === undefined) return undefined;
  if (path === undefined)
    throw userError(
      option("judge"),
      "expected a classifier to judge by, got none",
      "Train one: imago train classifier.",
    );
  const classifier = await loadJudge(path, usage, platform);
  const held =
    validate === undefined ? undefined : await openPart("test", { ...usage, classes: 0 }, heldOut(options), platform);
  const name = figure?.name ?? "kid";
  const sums = [await platform.files.sha256(classifier.path), (held ?? source).description.sha256];
  const real = async (): Promise<Tensor> =>
    held ? held.take(spreadOf(held, COUNT)).image! : (await firstExamples(source, COUNT)).image;
  return {
    ...keptBy(figure, sums.map((sum) => sum.slice(0, 12)).join(" ")),
    scorer(runtime) {
      const opening = once(async () => {
        const judge = await openClassifier(classifier, runtime);
        return { judge, features: await judge.features(await real()) };
      });
      return async (generator) => {
        const labels = Array.from({ length: COUNT }, (_, i) => (usage.classes > 0 ? i % usage.classes : 0));
        const made = await generator.run({ ...firstRows(usage.latent, seed, COUNT), labels });
        const { judge, features } = await opening();
        const fake = await judge.features(made);
        return { [name]: name === "kid" ? kid(features, fake, { seed }).mean : fid(features, fake) };
      };
    },
  };
}
