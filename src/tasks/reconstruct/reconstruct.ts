import { z } from "zod";
import { openPart } from "../../data/openPart.ts";
import { option, userError } from "../../errors.ts";
import { toGray, toRgb } from "../../image/channels.ts";
import { pictureGrid } from "../../image/draw/grid.ts";
import type { Picture } from "../../image/picture.ts";
import { middleSquare, plainPicture } from "../../image/reduce.ts";
import { resize } from "../../image/resize.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import { loadModelFor } from "../../modelFiles/read.ts";
import type { UseOf } from "../../nn/use.ts";
import type { Platform } from "../../platform/platform.ts";
import { toPictures, toTensor } from "../../tensor/pictures.ts";
import { floats, type Tensor, tensor } from "../../tensor/tensor.ts";
import { joined, rowsFrom } from "../common/batches.ts";
import { defineTask, type NamedPicture, type Progress } from "../common/task.ts";
import { openAutoencoder } from "./autoencoder.ts";
import { sheetOfRows } from "./watch.ts";

/** What `reconstruct` can be asked for. */
export const reconstructOptions = z.object({
  model: z
    .string()
    .min(1)
    .describe("a shipped autoencoder, a .safetensors file, or a run's folder")
    .meta({ placeholder: "model" }),
  data: z
    .string()
    .min(1)
    .optional()
    .describe("data set whose held-out pictures are rebuilt, in place of files")
    .meta({ placeholder: "path" }),
  count: z.int().min(1).max(100).default(10).describe("pictures to take of the data set"),
  walk: z
    .int()
    .min(2)
    .max(100)
    .optional()
    .describe("pictures on the way from the first picture to the second, instead of the rebuilt ones"),
  map: z
    .int()
    .min(2)
    .max(64)
    .optional()
    .describe("for a code of two numbers: a map of this many pictures a side, the middle 95 % of N(0, 1) each way"),
});

export type ReconstructOptions = z.input<typeof reconstructOptions>;

/** What became of one picture. */
export interface Rebuilt {
  readonly name: string;
  /** Mean squared error of samples in 0…1, and PSNR in dB. */
  readonly mse: number;
  readonly psnr: number;
}

export interface Reconstruction {
  readonly sheet: Picture;
  readonly pictures: readonly Rebuilt[];
}

/** Pictures that go through the network at a time. */
const BATCH = 32;

interface Named {
  readonly names: readonly string[];
  /** [N, C, size, size] in 0…1. */
  readonly image: Tensor;
}

async function fromSet(data: string, count: number, usage: UseOf<"reconstruct">, platform: Platform): Promise<Named> {
  const set = await openPart("test", { ...usage, classes: 0 }, { data: [data] }, platform);
  const numbers = [...Array(Math.min(count, set.description.count)).keys()];
  return { names: numbers.map((number) => `${data} ${number}`), image: set.take(numbers).image! };
}

/** The middle square of each picture in the network's size and planes. */
function fromPictures(given: readonly NamedPicture[], { size, channels }: UseOf<"reconstruct">): Named {
  const pictures = given.map(({ picture }) => {
    const square = middleSquare(plainPicture(picture));
    const small = resize(square, { width: size, height: size }, { method: "bicubic", convention: "pillow" });
    return channels === 1 ? toGray(small) : toRgb(small);
  });
  return { names: given.map(({ name }) => name), image: toTensor(pictures) };
}

function scores({ names, image }: Named, rebuilt: Tensor): readonly Rebuilt[] {
  const [truth, made] = [floats(image), floats(rebuilt)];
  const size = truth.length / names.length;
  return names.map((name, n) => {
    let sum = 0;
    for (let i = n * size; i < (n + 1) * size; i++) sum += (truth[i]! - made[i]!) ** 2;
    return { name, mse: sum / size, psnr: -10 * Math.log10(sum / size) };
  });
}

/** Codes on the straight line between the first two. */
function codesOfWalk(codes: Tensor, steps: number): Tensor {
  const [count, ...rest] = codes.shape as readonly [number, ...number[]];
  if (count < 2) throw userError("walk", "expected two pictures to walk between, got one");
  const width = codes.data.length / count;
  const [a, b] = [0, 1].map((n) => floats(codes).subarray(n * width, (n + 1) * width)) as [Float32Array, Float32Array];
  const all = new Float32Array(steps * width);
  for (let s = 0; s < steps; s++)
    for (let i = 0; i < width; i++) all[s * width + i] = a[i]! + (s / (steps - 1)) * (b[i]! - a[i]!);
  return tensor(all, [steps, ...rest]);
}

const EDGE = 1.96; // 95 % of N(0, 1) lie within

/** Codes of two numbers on a grid, the second number growing upwards. */
function codesOfMap(side: number): Tensor {
  const at = (i: number): number => EDGE * ((2 * i) / (side - 1) - 1);
  const codes = Array.from({ length: side * side }, (_, n) => [at(n % side), -at(Math.floor(n / side))]).flat();
  return tensor(codes, [side * side, 2]);
}

const sheetOf = (batch: Tensor, columns: number): Picture =>
  pictureGrid(toPictures(batch), { columns, gap: 1, factor: Math.max(1, Math.floor(64 / batch.shape[3]!)) });

type Checked = z.output<typeof reconstructOptions>;
type Model = LoadedModel<UseOf<"reconstruct">>;

/** Refuses what does not go together. */
function check({ data, map }: Checked, count: number, { usage }: Model): void {
  if (map !== undefined && usage.latent.join() !== "2")
    throw userError(
      "map",
      `expected a code of 2 numbers, got ${usage.latent.join("×")}`,
      `Train with ${option("latent")} 2.`,
    );
  if (map === undefined && count === 0 && data === undefined)
    throw userError("reconstruct", `expected pictures or ${option("data")}, got neither`);
}

/** Puts rows through half of the network, a batch at a time. */
async function* through(
  half: (rows: Tensor) => Promise<Tensor>,
  rows: Tensor,
  { what, signal }: { readonly what: string; readonly signal: AbortSignal | undefined },
): AsyncGenerator<Progress, Tensor> {
  const [total = 0] = rows.shape;
  const parts: Tensor[] = [];
  for (let from = 0; from < total; from += BATCH) {
    signal?.throwIfAborted();
    parts.push(await half(rowsFrom(rows, from, from + BATCH)));
    yield { done: Math.min(total, from + BATCH), total, what };
  }
  return joined(parts);
}

/**
 * Rebuilds pictures with an autoencoder: the classic sheet (originals above), a walk, or the map of a code of two
 * numbers.
 */
export const reconstruct = defineTask({
  name: "reconstruct",
  summary: "Squeeze pictures into a few numbers and rebuild them with an autoencoder: originals above, rebuilt below.",
  takes: "pictures",
  options: reconstructOptions,
  gives: "sheet",
  async *run(given, options, { platform, runtime, signal }): AsyncGenerator<Progress, Reconstruction> {
    const { data, count, walk, map } = options;
    const model = await loadModelFor("reconstruct", options.model, platform);
    check(options, given.length, model);
    const network = await openAutoencoder(model, await runtime.get(), BATCH);
    const decoding = { what: "rebuilt", signal };
    try {
      if (map !== undefined)
        return { sheet: sheetOf(yield* through(network.decode, codesOfMap(map), decoding), map), pictures: [] };
      const taken = data ? await fromSet(data, count, model.usage, platform) : fromPictures(given, model.usage);
      const codes = yield* through(network.encode, taken.image, { what: "encoded", signal });
      if (walk !== undefined)
        return {
          sheet: sheetOf(yield* through(network.decode, codesOfWalk(codes, walk), decoding), walk),
          pictures: [],
        };
      const rebuilt = yield* through(network.decode, codes, decoding);
      return { sheet: sheetOfRows(taken.image, rebuilt), pictures: scores(taken, rebuilt) };
    } finally {
      await network.dispose();
    }
  },
});
