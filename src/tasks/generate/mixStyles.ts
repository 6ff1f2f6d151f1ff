import { z } from "zod";
import { option, userError } from "../../errors.ts";
import { pictureGrid } from "../../image/draw/grid.ts";
import { makePicture, makeSamples, type Picture } from "../../image/picture.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import { toPictures } from "../../tensor/pictures.ts";
import { floats, type Tensor, tensor } from "../../tensor/tensor.ts";
import { rowsFrom } from "../common/batches.ts";
import { defineTask } from "../common/task.ts";
import { type GenerateTick, generateOptions, openModel } from "./generate.ts";
import { BATCH, firstRows } from "./generator.ts";
import { openStyled } from "./styles.ts";

const { model, seed, truncation } = generateOptions.shape;

/** What `mixStyles` can be asked for. */
export const mixOptions = z.object({
  model,
  seed,
  truncation,
  mix: z.int().min(1).max(100).describe("styles, from the coarsest on, that a row's picture gives; its column's gives the others"),
  count: z.int().min(1).max(32).default(6).describe("rows and columns"),
}); // biome-ignore format: a table

export type MixOptions = z.input<typeof mixOptions>;

const blank = ({ width, height, channels }: Picture): Picture =>
  makePicture({ width, height, channels }, makeSamples(8, width * height * channels).fill(255));

/** The places of n × n mixtures, row by row. */
const mixtures = (count: number): readonly { readonly row: number; readonly column: number }[] =>
  Array.from({ length: count * count }, (_, at) => ({ row: Math.floor(at / count), column: at % count }));

/**
 * The styles [2n, L, W] of n rows and n columns, and behind them those of every mixture, row by row: [2n + n², L, W].
 */
function withMixtures(styles: Tensor, mix: number): Tensor {
  const [both, layers, width] = styles.shape as readonly [number, number, number];
  const [count, area] = [both / 2, layers * width];
  const styleOf = (i: number) => floats(styles).subarray(i * area, (i + 1) * area);
  const all = new Float32Array((both + count * count) * area);
  all.set(floats(styles));
  for (const [at, { row, column }] of mixtures(count).entries()) {
    all.set(styleOf(count + column), (both + at) * area);
    all.set(styleOf(row).subarray(0, mix * width), (both + at) * area);
  }
  return tensor(all, [both + count * count, layers, width]);
}

/** The rows' pictures down the left side, the columns' across the top. */
function mixtureSheet(made: readonly Picture[], count: number): Picture {
  const [corner] = made as readonly [Picture];
  const rows = Array.from({ length: count }, (_, row) => {
    const from = (2 + row) * count;
    return [made[row]!, ...made.slice(from, from + count)];
  });
  const factor = Math.max(1, Math.floor(64 / corner.width));
  return pictureGrid([blank(corner), ...made.slice(count, 2 * count), ...rows.flat()], { columns: count + 1, factor });
}

/**
 * A sheet of mixtures: pictures of a seed down the left side and across the top, and where they meet the picture with
 * the coarse styles of the one and the fine styles of the other. Karras et al. 2019, https://arxiv.org/abs/1812.04948,
 * figure 3.
 */
export const mixStyles = defineTask({
  name: "mixStyles",
  summary: "Draw a sheet of pictures with the coarse styles of one made picture and the fine styles of another.",
  takes: "nothing",
  options: mixOptions,
  gives: "sheet",
  async *run(_, options, { platform, runtime, signal }): AsyncGenerator<GenerateTick, Picture> {
    const { mix, count, seed, truncation } = options;
    const { name, model } = await openModel(options.model, platform);
    checkMix(mix, model);
    const total = 2 * count + count * count;
    yield { done: 0, total, ...(options.model === undefined && { model: name }) };
    const generator = await openStyled(model, await runtime.get());
    try {
      const rows = firstRows(model.usage.latent, seed, 2 * count);
      const styles = withMixtures(await generator.styles({ ...rows, truncation }), mix);
      const of = [...rows.noise.of, ...mixtures(count).map(({ row }) => row)];
      const made: Picture[] = [];
      while (made.length < total) {
        signal?.throwIfAborted();
        const [from, to] = [made.length, made.length + BATCH];
        made.push(
          ...toPictures(await generator.pictures(rowsFrom(styles, from, to), { seed, of: of.slice(from, to) })),
        );
        yield { done: made.length, total, what: "pictures", preview: made[from]! };
      }
      return mixtureSheet(made, count);
    } finally {
      await generator.dispose();
    }
  },
});

/** The styles that a row gives must be some of the generator's, but not all. */
function checkMix(mix: number, { usage: { styles }, name }: LoadedModel<UseOf<"generate">>): void {
  if (styles === undefined)
    throw userError(option("mix"), `expected a generator with styles, got ${name}, which has none`);
  if (mix >= styles) throw userError(option("mix"), `expected less than the ${styles} styles of ${name}, got ${mix}`);
}
