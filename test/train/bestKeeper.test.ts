import { expect, test } from "vitest";
import { tensor } from "../../src/tensor/tensor.ts";
import { type BestBy, openKeeper } from "../../src/train/bestKeeper.ts";
import type { Run } from "../../src/train/run.ts";

/** A run whose best.safetensors is the head alone. */
function memoryRun(head?: Record<string, string>) {
  let kept = head;
  const run = {
    saveBest: async (_: unknown, metadata: Record<string, string>) => {
      kept = metadata;
      return "best.safetensors";
    },
    readBest: async () => kept && { ...kept, path: "best.safetensors" },
  } as unknown as Run;
  return { run, head: () => kept };
}

const weights = { "a/b": tensor([1], [1]) };

/** The steps that were kept of scores offered at steps 1, 2, 3 … */
async function keptSteps(best: BestBy, scores: readonly number[], head?: Record<string, string>) {
  const { run, head: now } = memoryRun(head);
  const keeper = await openKeeper({ run, best });
  const kept: number[] = [];
  for (const [i, score] of scores.entries())
    if (await keeper.offer(i + 1, weights, { [best.name]: score })) kept.push(i + 1);
  return { kept, head: now() };
}

test("the lowest where lower is better, the highest where higher is", async () => {
  const scores = [3, 2, 5, 2, Number.NaN, 1];
  expect((await keptSteps({ name: "kid", by: "x" }, scores)).kept).toEqual([1, 2, 6]);
  expect((await keptSteps({ name: "psnr", by: "x", isHigherBetter: true }, scores)).kept).toEqual([1, 3]);
});

test("a file of version 0.1 is gone on from, and keeps its form", async () => {
  const old = { best: "kid", by: "x", step: "40", score: "2.5" };
  const { kept, head } = await keptSteps({ name: "kid", by: "x", isHigherBetter: false }, [3, 2], old);
  expect(kept).toEqual([2]);
  expect(head).toEqual({ best: "kid", by: "x", step: "2", score: "2" });
});
