import { z } from "zod";
import { option, userError } from "../errors.ts";
import type { LoadedModel } from "../modelFiles/model.ts";
import { type Use, type UseName, type UseOf, uses } from "../nn/use.ts";
import { oneOf } from "../options/schema.ts";
import type { Platform } from "../platform/platform.ts";
import { judgeClassifier, judgeDiscriminator } from "./classify/judge.ts";
import { watchClassify } from "./classify/watch.ts";
import type { JudgeParts, Judgment } from "./common/judging.ts";
import type { Figure, WatcherFor, WatchParts } from "./common/watching.ts";
import { judgeGenerator } from "./generate/judge.ts";
import { watchGenerate } from "./generate/watch.ts";
import { judgeAutoencoder } from "./reconstruct/judge.ts";
import { watchReconstruct } from "./reconstruct/watch.ts";
import { judgeTranslator } from "./translate/judge.ts";
import { watchTranslate } from "./translate/watch.ts";
import { watchUpscale } from "./upscale/watch.ts";

/** The work that goes with a use: the right half of its row in nn/use.ts. */
export interface UseWork<T extends UseName = UseName> {
  /** Prepares what training shows. Whatever is wrong with the data shows here, before anything is written. */
  watch(parts: WatchParts<UseOf<T>>, platform: Platform): Promise<WatcherFor>;
  /** Measures a trained model on a data set of small pictures. */
  judge?(model: LoadedModel<UseOf<T>>, parts: JudgeParts): Promise<Judgment>;
  /** What to do in place of `judge`, where there is none. */
  readonly cure?: string;
  /** Figures of the evaluation by which the best weights can be kept. */
  readonly best?: readonly Figure[];
  /** Whether a run's samples become an animation: small pictures grow out of noise, enlarged ones hardly move. */
  readonly hasAnimation?: true;
  /** Options of a training that concern this use alone. */
  readonly options?: z.ZodObject;
}

const unwatched = async (): Promise<WatcherFor> => () => ({});

const generateOptions = z.object({
  judge: z
    .string()
    .min(1)
    .optional()
    .describe("for generators: the classifier whose features give KID or FID at every sample")
    .meta({ placeholder: "model" }),
});

/** The work of every use. */
export const useWork: { readonly [T in UseName]: UseWork<T> } = {
  upscale: {
    watch: watchUpscale,
    cure: `Use evaluate with ${option("scale")}.`,
    best: [
      { name: "psnr", isHigherBetter: true },
      { name: "ssim", isHigherBetter: true },
    ],
  },
  reconstruct: {
    watch: watchReconstruct,
    judge: judgeAutoencoder,
    best: [{ name: "mse", isHigherBetter: false }],
    hasAnimation: true,
  },
  generate: {
    watch: watchGenerate,
    judge: judgeGenerator,
    best: [
      { name: "kid", isHigherBetter: false },
      { name: "fid", isHigherBetter: false },
    ],
    hasAnimation: true,
    options: generateOptions,
  },
  classify: {
    watch: watchClassify,
    judge: judgeClassifier,
    best: [{ name: "accuracy", isHigherBetter: true }],
  },
  discriminate: { watch: unwatched, judge: judgeDiscriminator },
  embed: { watch: unwatched, cure: `Give it as ${option("features")}.` },
  translate: {
    watch: watchTranslate,
    judge: judgeTranslator,
    best: [
      { name: "psnr", isHigherBetter: true },
      { name: "ssim", isHigherBetter: true },
    ],
    hasAnimation: true,
  },
};

/** The work of a use that is known at run time alone. */
export const workOf = (use: UseName): UseWork => useWork[use] as unknown as UseWork;

const all: readonly UseWork[] = Object.keys(useWork).map((use) => workOf(use as UseName));
const figures = [...new Set(all.flatMap(({ best = [] }) => best.map(({ name }) => name)))] as [string, ...string[]];

/** Options of a training that depend on what its network is for. */
export const useOptions = generateOptions.extend({
  keepBest: z
    .enum(figures)
    .optional()
    .describe(
      `keep the weights of the best figure as best.safetensors too; PSNR and SSIM need ${option("validate")}, KID and FID ${option("judge")}`,
    ),
});

type UseOptions = z.output<typeof useOptions>;

/** What `watchUse` is handed: the parts of a watcher, and the options as they were given. */
export type Watched = Omit<WatchParts, "figure"> & { readonly options: WatchParts["options"] & UseOptions };

/**
 * Prepares what training shows of a network, and by what its best weights are kept.
 * @throws UserError for options of another use, a figure that this use has not, or data that do not fit
 */
export async function watchUse(parts: Watched, platform: Platform): Promise<WatcherFor> {
  const { usage, options } = parts;
  const work = workOf(usage.task);
  checkOwn(work, usage, options);
  return work.watch({ ...parts, figure: figureOf(work, usage, options.keepBest) }, platform);
}

/** Refuses options that concern other uses alone. */
function checkOwn({ options }: UseWork, { task }: Use, given: Readonly<Record<string, unknown>>): void {
  const others = all.flatMap((work) => Object.keys(work.options?.shape ?? {}));
  const wrong = others.find((name) => given[name] !== undefined && !(name in (options?.shape ?? {})));
  if (wrong)
    throw userError(option(wrong), `expected none with this recipe, whose network ${uses[task].does}`, "Leave it out.");
}

/** The figure of a use by its name. */
function figureOf({ best = [] }: UseWork, { task }: Use, wanted: string | undefined): Figure | undefined {
  if (wanted === undefined) return undefined;
  const found = best.find(({ name }) => name === wanted);
  if (found) return found;
  const expected = best.length > 0 ? oneOf(best.map(({ name }) => name)) : "none";
  throw userError(option("keepBest"), `expected ${expected} for a network that ${uses[task].does}, got ${wanted}`);
}
