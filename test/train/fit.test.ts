import { describe, expect, test } from "vitest";
import { UserError, userError } from "../../src/errors.ts";
import { readSafetensors } from "../../src/tensor/safetensors.ts";
import { floats, tensor } from "../../src/tensor/tensor.ts";
import { checkpointIn } from "../../src/train/checkpoint.ts";
import { type FitPlan, fit } from "../../src/train/fit.ts";
import {
  bytesAt,
  Crash,
  collect,
  type LineOptions,
  linePlan,
  lineSource,
  lineStage,
  lineStep,
  MemoryFiles,
  metricsOf,
  noRuntime,
  stateOf,
} from "./support.ts";

const checkpointOf = (files: MemoryFiles) =>
  checkpointIn(readSafetensors(files.content.get("runs/a/checkpoint.safetensors")!), "");

const train = async (options: LineOptions) => {
  const plan = await linePlan(options);
  const ticks = await collect(fit(plan, { runtime: noRuntime }));
  await plan.run.close();
  return ticks;
};

/** All that must be the same however a training was cut up. */
const resultOf = (files: MemoryFiles) => ({
  weights: bytesAt(files, "weights.safetensors"),
  checkpoint: bytesAt(files, "checkpoint.safetensors"),
  metrics: metricsOf(files),
  samples: [...files.content.keys()]
    .filter((path) => path.includes("/samples/"))
    .map((path) => [path, files.content.get(path)]),
  files: [...files.content.keys()].sort(),
});

const whole = async () => {
  const files = new MemoryFiles();
  await train({ files });
  return resultOf(files);
};

describe("one training", () => {
  test("yields a tick per step and one for the end", async () => {
    const files = new MemoryFiles();
    const ticks = await train({ files });
    expect(ticks.map(({ step }) => step)).toEqual([...Array.from({ length: 20 }, (_, i) => i + 1), 20]);
    expect(ticks.flatMap(({ step, saved }) => (saved ? [step] : []))).toEqual([4, 8, 12, 16, 20]);
    expect(ticks.flatMap(({ step, sample }) => (sample ? [step] : []))).toEqual([5, 10, 15, 20]);
    expect(ticks.at(-1)).toMatchObject({ weights: "runs/a/weights.safetensors", secondsLeft: 0 });
    expect(ticks.some(({ interrupted }) => interrupted)).toBe(false);
    expect([...files.content.keys()].sort()).toEqual([
      "runs/a/checkpoint.safetensors",
      "runs/a/loss.png",
      "runs/a/metrics.jsonl",
      "runs/a/options.json",
      "runs/a/samples/000005.png",
      "runs/a/samples/000010.png",
      "runs/a/samples/000015.png",
      "runs/a/samples/000020.png",
      "runs/a/weights.safetensors",
    ]);
  });

  test("logs the mean of each loss since the line before, with all digits", async () => {
    const files = new MemoryFiles();
    const ticks = await train({ files });
    const losses = ticks.slice(0, 20).map((tick) => tick.losses.line!);
    const lines = metricsOf(files).filter((line) => (line as { losses?: object }).losses);
    const mean = (from: number, to: number) => losses.slice(from, to).reduce((a, b) => a + b, 0) / (to - from);
    expect(lines).toEqual(
      [0, 3, 6, 9, 12, 15, 18].map((from) => {
        const to = Math.min(20, from + 3);
        return { step: to, losses: { line: mean(from, to) }, learningRate: 0.05 / Math.sqrt(to) };
      }),
    );
  });

  test("learns the line; the weights are the moving averages, statistics as they are", async () => {
    const files = new MemoryFiles();
    await train({ files, steps: 400 });
    const { tensors, metadata } = readSafetensors(files.content.get("runs/a/weights.safetensors")!);
    const state = checkpointOf(files).state;
    expect(Object.keys(tensors)).toEqual(["line/ab", "line/seen"]);
    expect(tensors["line/ab"]).toEqual(state["ema/line/ab"]);
    expect(tensors["line/ab"]).not.toEqual(state["weights/line/ab"]);
    expect(floats(tensors["line/seen"]!)[0]).toBe(400);
    expect(Math.abs(floats(tensors["line/ab"]!)[0]! - 3)).toBeLessThan(0.05);
    expect(Math.abs(floats(tensors["line/ab"]!)[1]! + 1)).toBeLessThan(0.05);
    expect(metadata).toEqual({ recipe: "line" });
  });

  test("writes only the networks asked for", async () => {
    const files = new MemoryFiles();
    await train({ files, plan: { results: [{ keep: ["other"] }] } });
    expect(readSafetensors(files.content.get("runs/a/weights.safetensors")!).tensors).toEqual({});
  });

  test("tells speed, time left and share of waiting by the clock given", async () => {
    let time = 0;
    const [step, source] = [lineStep(7), lineSource(7)];
    const prepare = async () => ({
      ...step,
      run: (...given: Parameters<typeof step.run>) => {
        time += 150;
        return step.run(...given);
      },
    });
    const batch = async (n: number) => {
      time += 50;
      return source.batch(n);
    };
    const plan = await linePlan({
      files: new MemoryFiles(),
      plan: { stages: [lineStage(20, prepare)], source: { ...source, batch }, depth: 0 },
    });
    const ticks = await collect(fit(plan, { runtime: noRuntime, now: () => time }));
    expect(ticks[9]!.picturesPerSecond).toBeCloseTo(20); // four pictures in 200 ms
    expect(ticks[9]!.secondsLeft).toBeCloseTo(2);
    expect(ticks[9]!.waiting).toBeCloseTo(0.25); // 50 of them for making the batch
  });
});

describe("resume", () => {
  test.each([1, 3, 4, 7, 10, 19, 20])("20 steps equal %i, interrupted, and the rest", async (stop) => {
    const files = new MemoryFiles();
    const plan = await linePlan({ files });
    const end = new AbortController();
    const ticks = [];
    for await (const tick of fit(plan, { runtime: noRuntime, signal: end.signal })) {
      ticks.push(tick);
      if (tick.step === stop) end.abort();
    }
    await plan.run.close();
    if (stop < 20) {
      expect(ticks.at(-1)).toMatchObject({ step: stop, interrupted: true, saved: "runs/a/checkpoint.safetensors" });
      expect(files.content.has("runs/a/weights.safetensors")).toBe(false);
    } else expect(ticks.at(-1)!.interrupted).toBeUndefined();
    const rest = await train({ files, resume: true });
    expect(rest[0]!.step).toBe(Math.min(20, stop + 1));
    expect(resultOf(files)).toEqual(await whole());
  });

  test("a training resumed with more steps equals one that had them from the start", async () => {
    const [files, direct] = [new MemoryFiles(), new MemoryFiles()];
    await train({ files, steps: 10 });
    await train({ files, steps: 20, resume: true });
    await train({ files: direct });
    expect(bytesAt(files, "weights.safetensors")).toBe(bytesAt(direct, "weights.safetensors"));
  });

  test("an interrupt during the running step lets it finish", async () => {
    const files = new MemoryFiles();
    const end = new AbortController();
    const step = lineStep(7);
    const run: typeof step.run = async (feeds, numbers) => {
      if (numbers.step === 6) end.abort();
      return step.run(feeds, numbers);
    };
    const plan = await linePlan({ files, plan: { stages: [lineStage(20, async () => ({ ...step, run }))] } });
    const ticks = await collect(fit(plan, { runtime: noRuntime, signal: end.signal }));
    expect(ticks.slice(-2)).toMatchObject([{ step: 6 }, { step: 6, interrupted: true }]);
    expect(checkpointOf(files).step).toBe(6);
  });

  test("an interrupt while data are awaited ends at once", async () => {
    const files = new MemoryFiles();
    const end = new AbortController();
    const source = lineSource(7);
    const plan = await linePlan({
      files,
      plan: { source: { ...source, batch: (n) => (n < 6 ? source.batch(n) : new Promise(() => undefined)) } },
    });
    setTimeout(() => end.abort(), 50);
    const ticks = await collect(fit(plan, { runtime: noRuntime, signal: end.signal }));
    expect(ticks.at(-1)).toMatchObject({ step: 5, interrupted: true });
  });

  test("an interrupt before the first step leaves a run that can start", async () => {
    const files = new MemoryFiles();
    const plan = await linePlan({ files });
    const ticks = await collect(fit(plan, { runtime: noRuntime, signal: AbortSignal.abort() }));
    expect(ticks).toMatchObject([{ step: 0, interrupted: true }]);
    await plan.run.close();
    await train({ files, resume: true });
    expect(resultOf(files)).toEqual(await whole());
  });
});

describe("crash", () => {
  test("at any change of any file, resuming gives the same files", async () => {
    const expected = await whole();
    const counted = new MemoryFiles();
    await train({ files: counted });
    expect(counted.changes).toBeGreaterThan(25);
    for (let deadline = 1; deadline <= counted.changes; deadline++) {
      const files = new MemoryFiles();
      files.deadline = deadline;
      await expect(train({ files })).rejects.toThrow(Crash);
      files.restart();
      await train({ files, resume: true });
      expect(resultOf(files), `crash at change ${deadline}`).toEqual(expected);
    }
  });

  test("again and again, every few changes, still ends the same", async () => {
    const files = new MemoryFiles();
    for (let tries = 0; tries < 30; tries++) {
      files.restart();
      files.deadline = 9;
      const isDone = await train({ files, resume: tries > 0 }).then(
        () => true,
        (error) => {
          expect(error).toBeInstanceOf(Crash);
          return false;
        },
      );
      if (isDone) break;
    }
    expect(resultOf(files)).toEqual(await whole());
  });
});

describe("the best weights", () => {
  /** How far the slope is from a value that it passes on its way up, so that neither the first nor the last is best. */
  const passing: Partial<FitPlan> = {
    best: { name: "gap", by: "a ruler" },
    evaluate: async (weights) => ({ gap: Math.abs(floats(weights["line/ab"]!)[0]! - 2.4) }),
  };
  const bestOf = (files: MemoryFiles) => readSafetensors(files.content.get("runs/a/best.safetensors")!);
  const scores = (files: MemoryFiles) =>
    (metricsOf(files) as { step: number; evaluation?: { gap: number } }[]).flatMap(({ step, evaluation }) =>
      evaluation ? [{ step, score: evaluation.gap }] : [],
    );

  test("are kept beside the last, with step and score; ticks tell", async () => {
    const files = new MemoryFiles();
    const ticks = await train({ files, plan: passing });
    const lowest = scores(files).toSorted((a, b) => a.score - b.score)[0]!;
    expect(scores(files).map(({ step }) => step)).toEqual([5, 10, 15, 20]);
    expect([5, 20]).not.toContain(lowest.step);
    const { tensors, metadata } = bestOf(files);
    const { step, score } = lowest;
    expect(metadata).toEqual({ recipe: "line", best: "gap", by: "a ruler", step: String(step), score: String(score) });
    expect(Math.abs(floats(tensors["line/ab"]!)[0]! - 2.4)).toBe(score);
    expect(ticks.at(-1)!.best).toEqual({ path: "runs/a/best.safetensors", step, score });
    expect(ticks.flatMap((tick) => (tick.best && !tick.weights ? [tick.step] : []))).toContain(step);
  });

  test("survive a crash at any change of any file", async () => {
    const direct = new MemoryFiles();
    await train({ files: direct, plan: passing });
    const expected = { ...resultOf(direct), best: bytesAt(direct, "best.safetensors") };
    for (let deadline = 1; deadline <= direct.changes; deadline++) {
      const files = new MemoryFiles();
      files.deadline = deadline;
      await expect(train({ files, plan: passing })).rejects.toThrow(Crash);
      files.restart();
      const before = files.content.has("runs/a/best.safetensors") ? Number(bestOf(files).metadata.score) : Infinity;
      for await (const { best } of fit(await linePlan({ files, resume: true, plan: passing }), { runtime: noRuntime }))
        expect(best?.score ?? 0).toBeLessThanOrEqual(before);
      expect({ ...resultOf(files), best: bytesAt(files, "best.safetensors") }, `crash at ${deadline}`).toEqual(
        expected,
      );
    }
  });

  test("scores measured with something else do not count", async () => {
    const files = new MemoryFiles();
    await train({ files, steps: 10, plan: passing });
    await train({ files, steps: 20, resume: true, plan: { ...passing, best: { name: "gap", by: "another ruler" } } });
    const later = scores(files).filter(({ step }) => step > 10);
    expect(bestOf(files).metadata).toMatchObject({
      by: "another ruler",
      score: String(Math.min(...later.map(({ score }) => score))),
    });
  });
});

describe("alarms", () => {
  /** One kind at 5 and 10, another at 10, the first again at 20. */
  const watch: FitPlan["watch"] = (lines) => {
    const { step } = lines.at(-1)!;
    return { ...([5, 10, 20].includes(step) && { a: `a at ${step}` }), ...(step === 10 && { b: `b at ${step}` }) };
  };
  const told = (ticks: readonly { step: number; alarm?: string }[]) =>
    ticks.flatMap(({ step, alarm }) => (alarm ? [[step, alarm]] : []));

  test("are told when they begin and when they come back; metrics hold all", async () => {
    const files = new MemoryFiles();
    expect(told(await train({ files, plan: { watch } }))).toEqual([[5, "a at 5"], [10, "b at 10"], [20, "a at 20"]]); // biome-ignore format: one line
    const lines = metricsOf(files) as { step: number; evaluation?: object; alarms?: object }[];
    expect(lines.filter(({ evaluation }) => evaluation).map(({ alarms }) => alarms)).toEqual([
      { a: "a at 5" },
      { a: "a at 10", b: "b at 10" },
      undefined,
      { a: "a at 20" },
    ]);
  });

  test("a resumed training does not tell them again", async () => {
    const files = new MemoryFiles();
    await train({ files, steps: 5, plan: { watch } });
    expect(told(await train({ files, steps: 10, resume: true, plan: { watch } }))).toEqual([[10, "b at 10"]]);
  });
});

describe("numbers that go wrong", () => {
  const failing = async (change: (plan: FitPlan) => Partial<FitPlan>) => {
    const files = new MemoryFiles();
    const plan = await linePlan({ files });
    const result = collect(fit({ ...plan, ...change(plan) }, { runtime: noRuntime }));
    await expect(result).rejects.toThrow(UserError);
    return { files, message: await result.catch((error: Error) => error.message) };
  };

  test("a loss stops the training and leaves the last good checkpoint", async () => {
    const step = lineStep(7);
    const { files, message } = await failing(() => ({
      stages: [
        lineStage(20, async () => ({
          ...step,
          run: async (feeds, numbers) =>
            numbers.step === 11 ? { losses: { line: Number.NaN }, shown: {} } : step.run(feeds, numbers),
        })),
      ],
    }));
    expect(message).toMatch(
      /^runs\/a: expected finite losses, got line = NaN at step 11\. The checkpoint of step 8 is kept\./,
    );
    expect(checkpointOf(files).step).toBe(8);
  });

  test("weights that went wrong are not saved, though the loss was fine", async () => {
    const step = lineStep(7);
    const { files, message } = await failing(() => ({
      stages: [
        lineStage(20, async () => ({
          ...step,
          entries: (isAsked) => stateOf({ "weights/line/ab": tensor([1, Infinity], [2]) }).entries(isAsked),
        })),
      ],
      every: { log: 3, save: 4 },
    }));
    expect(message).toMatch(
      /step 4: expected finite numbers, got Infinity in weights\/line\/ab .* Nothing was saved yet\./,
    );
    expect(files.content.has("runs/a/checkpoint.safetensors")).toBe(false);
  });

  test("a state that goes wrong while it is written leaves the checkpoint before", async () => {
    let saves = 0;
    const step = lineStep(7);
    const { files, message } = await failing(() => ({
      stages: [
        lineStage(20, async () => ({
          ...step,
          async *entries(isAsked) {
            yield* step.entries(isAsked);
            if (isAsked?.("velocity/line/ab") && ++saves === 2) throw userError("device", "it is gone");
          },
        })),
      ],
      every: { log: 3, save: 4 },
    }));
    expect(message).toBe("device: it is gone.");
    expect(checkpointOf(files).step).toBe(4);
  });
});

test("files found unusable are told once", async () => {
  const files = new MemoryFiles();
  const skipped: { path: string; reason: string }[] = [];
  const source = lineSource(7);
  const plan = await linePlan({
    files,
    steps: 6,
    plan: {
      depth: 0,
      source: {
        ...source,
        skipped,
        async batch(n) {
          if (n === 3) skipped.push({ path: "a.png", reason: "a.png: cut short." });
          return source.batch(n);
        },
      },
    },
  });
  const ticks = await collect(fit(plan, { runtime: noRuntime }));
  expect(ticks.map((tick) => tick.skipped?.length ?? 0)).toEqual([0, 0, 1, 0, 0, 0, 0]);
});
