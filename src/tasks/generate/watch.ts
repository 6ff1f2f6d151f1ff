import { firstExamples } from "../../data/firstBatches.ts";
import type { Tensors } from "../../engine/index.ts";
import { pictureGrid } from "../../image/draw/grid.ts";
import { diversity } from "../../metrics/diversity.ts";
import { modelOf } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import type { Platform } from "../../platform/platform.ts";
import { toPictures } from "../../tensor/pictures.ts";
import { generatorAlarms } from "../../train/ganAlarms.ts";
import { rowsOf } from "../classify/classifier.ts";
import { once } from "../common/once.ts";
import type { WatcherFor, WatchParts } from "../common/watching.ts";
import { firstRows } from "./generator.ts";
import { openGenerator } from "./openGenerator.ts";
import { planGeneratorScore } from "./score.ts";

const COLUMNS = 10;
const ROWS = 8;
/** Rows and steps of a diffusion model, which takes its time. */
const DIFFUSION = { rows: 4, samplerSteps: 20 } as const;
/** Real pictures per row that the sheet's variety is compared with. */
const REAL = 20;
/** Classes on the sheet, at most. */
const CLASSES = 20;

/**
 * A sheet from the same codes at every interval, a row for each class where there are some; how different its pictures
 * are from each other; and, with a judge, how far they are from real ones.
 */
export async function watchGenerate(parts: WatchParts<UseOf<"generate">>, platform: Platform): Promise<WatcherFor> {
  const { network, usage, options, source } = parts;
  const rows = usage.classes > 0 ? Math.min(CLASSES, usage.classes) : usage.diffusion ? DIFFUSION.rows : ROWS;
  const first = firstRows(usage.latent, options.seed, rows * COLUMNS);
  const labels = Array.from({ length: rows * COLUMNS }, (_, i) => (usage.classes > 0 ? Math.floor(i / COLUMNS) : 0));
  const planned = await planGeneratorScore(parts, platform);
  const real = once(async () => {
    const { image, labels } = await firstExamples(source, usage.classes > 0 ? REAL * rows : REAL * ROWS);
    return { rows: rowsOf(image), ...(usage.classes > 0 && labels && { labels }) };
  });
  return (runtime) => {
    const score = planned?.scorer(runtime);
    const make = lastOnly(async (weights: Tensors) => {
      const generator = await openGenerator(modelOf(network, weights, usage, network.key), runtime, DIFFUSION);
      try {
        return { sheet: await generator.run({ ...first, labels }), scores: (await score?.(generator)) ?? {} };
      } finally {
        await generator.dispose();
      }
    });
    return {
      async sample(weights) {
        const factor = Math.max(1, Math.floor(64 / usage.size));
        return pictureGrid(toPictures((await make(weights)).sheet), { columns: COLUMNS, factor });
      },
      async evaluate(weights) {
        const { sheet, scores } = await make(weights);
        const share = diversity({ rows: rowsOf(sheet), labels }, await real());
        return { ...(share !== undefined && { diversity: share }), ...scores };
      },
      watch: generatorAlarms,
      ...(planned?.best && { best: planned.best }),
    };
  };
}

/** The same weights are asked for twice: for their sheet and for their figures. */
function lastOnly<K extends object, V>(make: (key: K) => Promise<V>): (key: K) => Promise<V> {
  let last: { readonly key: K; readonly value: Promise<V> } | undefined;
  return (key) => {
    if (last?.key !== key) last = { key, value: make(key) };
    return last.value;
  };
}
