import { z } from "zod";
import { input, type Node } from "../engine/index.ts";
import { option, userError } from "../errors.ts";
import { type Examples, exampleSource, type Part } from "./exampleSource.ts";
import { flipped } from "./flip.ts";
import type { Data, DataRequest, DataTools } from "./kind.ts";
import { openExamples } from "./openSet.ts";
import type { DataSource } from "./source.ts";
import { sha256Of } from "./source.ts";

/** What a recipe learns from that turns pictures of one kind into another without pairs. */
export interface UnpairedWanted {
  readonly batch: number;
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** 1 gray, 3 RGB, of both. */
  readonly channels: 1 | 3;
  /** Mirror half of the pictures. */
  readonly flip?: boolean;
}

/** Pictures `a` and `b` of two sets, both [N, C, size, size] in 0…1; nothing belongs together. */
export const unpaired = (wanted: UnpairedWanted): Data<{ readonly a: Node; readonly b: Node }> => ({
  batch: wanted.batch,
  options: z.object({}),
  inputs(count) {
    const shape = [count, wanted.channels, wanted.size, wanted.size];
    return { a: input("a", shape), b: input("b", shape) };
  },
  open: (request, tools) => openSource(wanted, request, tools),
});

/** The two folders: two sources, or the sub-folders trainA and trainB, A and B, a and b of one. */
async function placesOf(data: readonly string[], part: Part, { files }: DataTools): Promise<readonly [string, string]> {
  const [first, second, third] = data.map((place) => place.replace(/(?<=.)\/+$/, "")) as [string, string?, string?];
  if (third !== undefined)
    throw userError(option("data"), `expected two folders, or one that holds both, got ${data.length}`);
  if (second !== undefined) return [first, second];
  for (const [a, b] of [
    [`${part}A`, `${part}B`],
    ["A", "B"],
    ["a", "b"],
  ] as const)
    if ((await files.exists(`${first}/${a}`)) && (await files.exists(`${first}/${b}`)))
      return [`${first}/${a}`, `${first}/${b}`];
  throw userError(
    first,
    "expected the sub-folders trainA and trainB, A and B, or a and b, got others",
    "Or name two folders.",
  );
}

async function openSource(wanted: UnpairedWanted, { data, seed }: DataRequest, tools: DataTools): Promise<DataSource> {
  const { batch, size, channels, flip = false } = wanted;
  const places = await placesOf(data, "train", tools);
  const open = (place: string): Promise<Examples> => openExamples(place, { size, channels, part: "train" }, tools);
  const [a, b] = [await open(places[0]), await open(places[1])];
  const drawn = [a, b].map((set, at) => {
    const source = exampleSource(
      { ...set, classes: [], take: (numbers) => ({ image: set.take(numbers).image! }) },
      { batch, seed: seed + at },
    ); // an order of its own
    return flip ? flipped(source, seed + at) : source;
  });
  const [one, two] = [a.description, b.description];
  return {
    description: {
      count: one.count + two.count,
      bytes: one.bytes + two.bytes,
      sha256: await sha256Of(new TextEncoder().encode(`${one.sha256} ${two.sha256}`)),
    },
    get skipped() {
      return [...a.skipped, ...b.skipped];
    },
    async batch(step) {
      const [left, right] = await Promise.all(drawn.map((source) => source.batch(step)));
      return { a: left!.image!, b: right!.image! };
    },
  };
}
