import { pictureGrid } from "../image/grid.ts";
import type { GenerateUsage } from "../nn/usage.ts";
import { codesOf, openGenerator } from "./generator.ts";
import { modelOf } from "./modelFile.ts";
import { picturesOf } from "./planes.ts";
import type { SamplerFor, SamplerParts } from "./sample.ts";

const COLUMNS = 10;
const ROWS = 8;

/** A sheet from the same codes at every interval; a row for each of the first ten classes where there are some. */
export const planGenerateSampler = async ({
  network,
  usage,
  checked,
}: SamplerParts<GenerateUsage>): Promise<SamplerFor> => {
  const rows = usage.classes > 0 ? Math.min(10, usage.classes) : ROWS;
  const codes = codesOf(usage.latent, checked.seed, rows * COLUMNS);
  const labels = Array.from({ length: rows * COLUMNS }, (_, i) => Math.floor(i / COLUMNS));
  return (runtime) => ({
    async sample(weights) {
      const generator = await openGenerator(modelOf(network, weights, usage, network.key), runtime);
      try {
        const factor = Math.max(1, Math.floor(64 / usage.size));
        return pictureGrid(picturesOf(await generator.run({ codes, labels })), { columns: COLUMNS, factor });
      } finally {
        await generator.dispose();
      }
    },
  });
};
