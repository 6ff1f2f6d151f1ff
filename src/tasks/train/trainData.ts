import { type Examples, exampleSource } from "../../data/exampleSource.ts";
import { flipped } from "../../data/flip.ts";
import { listPictures } from "../../data/folder.ts";
import { openPart } from "../../data/openPart.ts";
import { patchSource } from "../../data/patchSource.ts";
import type { DataSource } from "../../data/source.ts";
import { input, type Node } from "../../engine/index.ts";
import type { Platform } from "../../platform/platform.ts";
import type { ExampleData, PatchData } from "../../recipes/index.ts";

/** What of a training's options concerns its data. */
interface Request {
  readonly data: readonly string[];
  readonly seed: number;
  /** MiB. */
  readonly memory: number;
  readonly cell?: number;
}

/** The source of batches; every data kind that recipes name has its own. */
export const openData = (data: PatchData | ExampleData, checked: Request, platform: Platform): Promise<DataSource> =>
  data.kind === "patches" ? openPatches(data, checked, platform) : openBatches(data, checked, platform);

async function openPatches(
  { scale, patch, batch, color, input: kind }: PatchData,
  { data, seed, memory }: Request,
  { files, codec }: Platform,
): Promise<DataSource> {
  const pictures = await listPictures(data, files);
  return patchSource(
    { pictures, scale, patch, batch, color, input: kind, seed, augment: true, memory: memory * 2 ** 20 },
    { files, read: codec.read, probe: codec.probe },
  );
}

async function openBatches(
  wanted: ExampleData,
  { data, seed, cell }: Request,
  platform: Platform,
): Promise<DataSource> {
  return batchesOf(await openPart("train", wanted, { data, cell }, platform), wanted, seed);
}

/** Batches of a set of examples as a recipe wants them. */
export function batchesOf(
  examples: Examples,
  { batch, flip }: Pick<ExampleData, "batch" | "flip">,
  seed: number,
): DataSource {
  const source = exampleSource(examples, { batch, seed });
  return flip ? flipped(source, seed) : source;
}

/** The batch as leaves of the graph. */
export function batchInputs(data: PatchData | ExampleData): Readonly<Record<string, Node>> {
  if (data.kind === "examples") {
    const { batch, size, channels, classes } = data;
    const image = input("image", [batch, channels, size, size]);
    return classes > 0 ? { image, label: input("label", [batch], { dtype: "int64" }) } : { image };
  }
  const { scale, patch, batch, color, input: kind } = data;
  const channels = color === "y" ? 1 : 3;
  const side = kind === "lr" ? patch / scale : patch;
  return {
    input: input("input", [batch, channels, side, side]),
    target: input("target", [batch, channels, patch, patch]),
  };
}
