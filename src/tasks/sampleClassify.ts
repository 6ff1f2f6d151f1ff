import { compileFunction, input } from "../engine/index.ts";
import type { ClassifyUsage } from "../nn/usage.ts";
import { floats } from "../tensor/tensor.ts";
import { inBatches } from "./autoencoder.ts";
import { modelOf } from "./modelFile.ts";
import type { Platform } from "./platform.ts";
import type { SamplerFor, SamplerParts } from "./sample.ts";
import { heldOut } from "./sampleReconstruct.ts";
import { openPart } from "./trainData.ts";

const BATCH = 250;

/** The share of held-out pictures whose class is told right. */
export async function planClassifySampler(
  { network, usage, checked }: SamplerParts<ClassifyUsage>,
  platform: Platform,
): Promise<SamplerFor> {
  const held = await openPart("test", usage, heldOut(checked), platform);
  const { count } = held.description;
  return (runtime) => ({
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

/** The place of the largest number of each row. */
export const largest = (rows: Float32Array, width: number): readonly number[] =>
  Array.from({ length: rows.length / width }, (_, n) => {
    const row = rows.subarray(n * width, (n + 1) * width);
    return row.indexOf(Math.max(...row));
  });
