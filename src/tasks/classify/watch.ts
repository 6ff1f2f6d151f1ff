import { openPart } from "../../data/openPart.ts";
import { compileFunction, input } from "../../engine/index.ts";
import { modelOf } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import type { Platform } from "../../platform/platform.ts";
import { floats } from "../../tensor/tensor.ts";
import { inBatches } from "../common/batches.ts";
import { heldOut, keptBy, type WatcherFor, type WatchParts } from "../common/watching.ts";
import { largest } from "./classifier.ts";

const BATCH = 250;

/** The share of held-out pictures whose class is told right. */
export async function watchClassify(
  { network, usage, options, figure }: WatchParts<UseOf<"classify">>,
  platform: Platform,
): Promise<WatcherFor> {
  const held = await openPart("test", usage, heldOut(options), platform);
  const { count } = held.description;
  return (runtime) => ({
    ...keptBy(figure, held.description.sha256),
    async evaluate(weights) {
      const model = modelOf(network, weights, usage, network.key);
      const output = model.build(input("input", [BATCH, usage.channels, usage.size, usage.size]));
      const executable = await compileFunction({ output }, { runtime, weights });
      try {
        let right = 0;
        for (let from = 0; from < count; from += 1000) {
          const numbers = Array.from({ length: Math.min(1000, count - from) }, (_, i) => from + i);
          const { image, label } = held.take(numbers);
          const guesses = largest(floats(await inBatches(executable, image!, BATCH)), usage.classes);
          right += guesses.filter((guess, i) => guess === Number(label!.data[i])).length;
        }
        return { accuracy: right / count };
      } finally {
        await executable.dispose();
      }
    },
  });
}
