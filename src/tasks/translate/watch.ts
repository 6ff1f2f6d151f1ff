import type { Examples } from "../../data/exampleSource.ts";
import { openPairs, type PairSet } from "../../data/sets/pairs.ts";
import type { Runtime, Tensors } from "../../engine/index.ts";
import { pictureGrid } from "../../image/draw/grid.ts";
import { psnr } from "../../metrics/psnr.ts";
import { ssim } from "../../metrics/ssim.ts";
import { modelOf } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import type { Platform } from "../../platform/platform.ts";
import { toPictures } from "../../tensor/pictures.ts";
import { keptBy, type WatcherFor, type WatchParts } from "../common/watching.ts";
import { openTranslator, type Translator } from "./translator.ts";

/** Pairs on the sheet. */
const COLUMNS = 8;
/** Pairs that are scored at every sample, at most. */
const SCORED = 64;

/** What goes in and what should come out. */
export interface HeldPairs {
  readonly source: Examples;
  readonly target: Examples;
}

/** The two halves of a paired set in the direction that a network was trained in. */
export const directed = ({ a, b }: PairSet, { pairs = "ab" }: UseOf<"translate">): HeldPairs =>
  pairs === "ab" ? { source: a, target: b } : { source: b, target: a };

/**
 * Held-out pairs: what goes in, what the network makes of it, and what belongs to it; mean PSNR and SSIM over RGB. Networks that
 * were not trained on pairs are not watched.
 * @throws UserError for pairs that cannot be read
 */
export async function watchTranslate(
  { network, usage, options, figure }: WatchParts<UseOf<"translate">>,
  platform: Platform,
): Promise<WatcherFor> {
  const { size, channels, pairs } = usage;
  if (pairs === undefined || size === undefined) return () => ({});
  const place = options.validate ?? options.data[0]!;
  const set = directed(await openPairs(place, { size, channels, part: "test" }, platform), usage);
  return (runtime) => {
    const using = <T>(weights: Tensors, use: (translator: Translator) => Promise<T>): Promise<T> =>
      usingTranslator(modelOf(network, weights, usage, network.key), runtime, use);
    return {
      ...keptBy(figure, set.source.description.sha256),
      sample: (weights) => using(weights, (translator) => sheetOf(set, translator)),
      evaluate: (weights) => using(weights, (translator) => scorePairs(set, translator, SCORED)),
    };
  };
}

/** Opens a translator, uses it, and closes it. */
export async function usingTranslator<T>(
  model: Parameters<typeof openTranslator>[0],
  runtime: Runtime,
  use: (translator: Translator) => Promise<T>,
): Promise<T> {
  const translator = openTranslator(model, runtime);
  return use(translator).finally(() => translator.dispose());
}

/** A column per pair: source, made, target. */
async function sheetOf({ source, target }: HeldPairs, translator: Translator) {
  const count = Math.min(COLUMNS, source.description.count);
  const numbers = [...Array(count).keys()];
  const [given, wanted] = [source.take(numbers).image!, target.take(numbers).image!];
  const made = await translator.batch(given);
  return pictureGrid([...toPictures(given), ...made, ...toPictures(wanted)], { columns: count, gap: 4 });
}

/** Mean PSNR (dB) and SSIM of what is made of the first pairs of a set, over all planes. */
export async function scorePairs({ source, target }: HeldPairs, translator: Translator, most: number) {
  const count = Math.min(most, source.description.count);
  const sum = { psnr: 0, ssim: 0 };
  for (let number = 0; number < count; number++) {
    const [made] = await translator.batch(source.take([number]).image!);
    const [wanted] = toPictures(target.take([number]).image!);
    sum.psnr += psnr(made!, wanted!) / count;
    sum.ssim += ssim(made!, wanted!) / count;
  }
  return sum;
}
