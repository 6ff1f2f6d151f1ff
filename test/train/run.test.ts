import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { readSafetensors, writeSafetensors } from "../../src/tensor/safetensors.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import { checkpointIn, loadStep, partsOf, readWeights } from "../../src/train/checkpoint.ts";
import { drawLosses, linesUpTo } from "../../src/train/metricLines.ts";
import { openRun, type RunDescription, readRun } from "../../src/train/run.ts";
import { joined, lineDescription, MemoryFiles, pictureWriter, stateOf } from "./support.ts";

const open = (files: MemoryFiles, { resume = false, ...change }: Partial<RunDescription> & { resume?: boolean } = {}) =>
  openRun("runs/a", { ...lineDescription, ...change }, { files, resume, writePicture: pictureWriter(files) });

const saved = {
  step: 5,
  state: { "weights/line/ab": tensor([1, 2], [2]) },
  pending: { count: 2, sums: { line: 0.1 } },
};

/** A run with a checkpoint at step 5 and lines up to step 8. */
const started = async (): Promise<MemoryFiles> => {
  const files = new MemoryFiles();
  const run = await open(files);
  for (const step of [2, 4, 5]) await run.log({ step, losses: { line: 1 / step } });
  await run.save({ ...saved, state: stateOf(saved.state) });
  for (const step of [6, 8]) await run.log({ step, losses: { line: 1 / step } });
  await run.close();
  return files;
};

const text = (files: MemoryFiles, name: string): string =>
  new TextDecoder().decode(files.content.get(`runs/a/${name}`));

describe("starting", () => {
  test("writes options.json, which can be read back", async () => {
    const files = new MemoryFiles();
    await open(files);
    expect(JSON.parse(text(files, "options.json"))).toEqual(lineDescription);
    expect(await readRun("runs/a", files)).toEqual(lineDescription);
  });

  test("refuses a run that exists", async () => {
    await expect(open(await started())).rejects.toThrow(
      'runs/a: expected a new folder, got a run that exists. Use "resume" or another folder.',
    );
  });

  test("refuses a folder with something else, and touches nothing", async () => {
    const files = new MemoryFiles();
    files.folders.add("runs/a");
    await files.write("runs/a/holiday.jpg", "x");
    await expect(open(files)).rejects.toThrow(/new or empty folder, got one with holiday\.jpg/);
    expect([...files.content.keys()]).toEqual(["runs/a/holiday.jpg"]);
  });

  test("a second process is refused while the first holds the run", async () => {
    const files = new MemoryFiles();
    const run = await open(files);
    await expect(open(files, { resume: true })).rejects.toThrow(UserError);
    await run.close();
    await open(files, { resume: true });
  });

  test("a failure gives the lock back", async () => {
    const files = await started();
    await expect(open(files, { resume: true, seed: 8 })).rejects.toThrow(UserError);
    expect(files.locks.size).toBe(0);
  });
});

describe("resuming", () => {
  test("gives the checkpoint and drops the lines after it", async () => {
    const files = await started();
    const run = await open(files, { resume: true });
    expect(run.checkpoint).toEqual(saved);
    expect(run.lines.map(({ step }) => step)).toEqual([2, 4, 5]);
    expect(text(files, "metrics.jsonl").split("\n")).toEqual([...run.lines.map((line) => JSON.stringify(line)), ""]);
  });

  test("drops a line cut short by a crash", async () => {
    const files = await started();
    files.content.set("runs/a/metrics.jsonl", new TextEncoder().encode('{"step":2}\n{"step":4,"los'));
    const run = await open(files, { resume: true });
    expect(run.lines).toEqual([{ step: 2 }]);
    await run.log({ step: 6 });
    expect(text(files, "metrics.jsonl")).toBe('{"step":2}\n{"step":6}\n');
  });

  test("removes what a killed session left unfinished", async () => {
    const files = await started();
    await files.write("runs/a/.checkpoint.safetensors.1234.tmp", "half");
    await files.write("runs/a/run.lock.1234", "half");
    await open(files, { resume: true });
    expect([...files.content.keys()].filter((path) => path.includes("1234"))).toEqual([]);
  });

  test("refuses other options, naming those that differ", async () => {
    const options = { features: 32, scale: 2 };
    await expect(open(await started(), { resume: true, options })).rejects.toThrow(
      "runs/a: written by line {features: 64}, asked for line {features: 32}. Go on with what it was started with, or start a new run.",
    );
  });

  test.each<[string, Partial<RunDescription>]>([
    ["seed", { seed: 8 }],
    ["data", { data: { ...lineDescription.data, sha256: "4567" } }],
    ["recipe", { recipe: "curve" }],
    ["an option more", { options: { ...lineDescription.options, bias: true } }],
  ])("refuses another %s", async (_, change) => {
    await expect(open(await started(), { resume: true, ...change })).rejects.toThrow(/written by line/);
  });

  test.each<[string, Partial<RunDescription>]>([
    ["the order of options", { options: { scale: 2, features: 64 } }],
    ["an option that is undefined", { options: { ...lineDescription.options, clip: undefined } }],
    ["settings", { settings: { device: "webgpu" } }],
    ["versions", { versions: { imago: "0.2.0" } }],
  ])("%s may change", async (_, change) => {
    expect((await open(await started(), { resume: true, ...change })).checkpoint?.step).toBe(5);
  });

  test("refuses a folder that is not there", async () => {
    await expect(open(new MemoryFiles(), { resume: true })).rejects.toThrow(/no such folder/);
  });

  test("names a damaged checkpoint", async () => {
    const files = await started();
    const path = "runs/a/checkpoint.safetensors";
    files.content.set(path, files.content.get(path)!.subarray(0, 40));
    await expect(open(files, { resume: true })).rejects.toThrow(/^runs\/a\/checkpoint\.safetensors: /);
  });

  test("names options.json that is no JSON", async () => {
    const files = await started();
    files.content.set("runs/a/options.json", new TextEncoder().encode("{"));
    await expect(open(files, { resume: true })).rejects.toThrow(/^runs\/a\/options\.json: expected the JSON/);
  });
});

describe("checkpoints", () => {
  test("survive packing, with every digit", async () => {
    const checkpoint = { ...saved, pending: { count: 3, sums: { line: 0.1 + 0.2, other: 1e-300 } } };
    const bytes = await joined(partsOf({ ...checkpoint, state: stateOf(checkpoint.state) }));
    expect(checkpointIn(readSafetensors(bytes), "")).toEqual(checkpoint);
  });

  test("written tensor by tensor are the file of the whole state", async () => {
    const state = {
      "weights/g/b": tensor([1, 2, 3], [3]),
      "weights/g/a": tensor([4, 5, 6, 7], [2, 2]),
      "ema/g/b": tensor([8, 9, 10], [3]),
      "weights/g/count": tensor([11], []),
    };
    const pending = { count: 1, sums: { g: 0.5 } };
    const texts = { format: "imago checkpoint 1", step: "12", pending: '{"count":1,"sums":{"g":0.5}}' };
    expect(await joined(partsOf({ step: 12, state: stateOf(state), pending }))).toEqual(writeSafetensors(state, texts));
  });

  test("tell their step by their heads", async () => {
    const files = await started();
    const path = "runs/a/checkpoint.safetensors";
    expect(
      await loadStep(path, { readRange: (at, begin, end) => files.readRange(at, begin, Math.min(end, 300)) }),
    ).toBe(5);
    await files.write(path, writeSafetensors({}, { format: "weights" }));
    await expect(loadStep(path, files)).rejects.toThrow(/expected a checkpoint .*got "weights"/);
  });

  test("other safetensors files are refused", async () => {
    const files = new MemoryFiles();
    const run = await open(files);
    const path = await run.saveWeights(saved.state, { format: "weights" });
    expect(() => checkpointIn(readSafetensors(files.content.get(path)!), path)).toThrow(
      /expected a checkpoint .*got "weights"/,
    );
  });

  test("weights are the averages where kept; nothing else is read", async () => {
    const [a, b, c] = [tensor([1], [1]), tensor([2], [1]), tensor([3], [1])];
    const state = stateOf({ "weights/g/w": a, "ema/g/w": b, "weights/g/mean": c, "velocity/g/w": c });
    const read: string[] = [];
    const watched: typeof state = {
      ...state,
      async *entries(isAsked) {
        for await (const one of state.entries(isAsked)) {
          read.push(one[0]);
          yield one;
        }
      },
    };
    expect(await readWeights(watched)).toEqual({ "g/w": b, "g/mean": c });
    expect(read.sort()).toEqual(["ema/g/w", "weights/g/mean"]);
  });
});

describe("metrics", () => {
  test("lines that are no objects with a step are left out", () => {
    expect(linesUpTo('{"step":1}\nnull\n7\n{"losses":{}}\n\n{"step":2}\n{"step":3}', 2)).toEqual([
      { step: 1 },
      { step: 2 },
    ]);
  });

  test("no curve before the first line", () => {
    expect(drawLosses([], "a")).toBeUndefined();
    expect(drawLosses([{ step: 1, evaluation: { psnr: 3 } }], "a")).toBeUndefined();
    expect(drawLosses([{ step: 1, losses: { g: 3, d: -1 } }], "a")?.width).toBeGreaterThan(100);
  });

  test("losses, gradient norms and shares have a panel each", () => {
    const heightOf = (losses: Record<string, number>, evaluation = {}): number =>
      drawLosses([{ step: 1, losses }, { step: 1, evaluation }], "a")!.height; // biome-ignore format: one line
    const one = heightOf({ g: 3 });
    expect(heightOf({ g: 3, d: 1 }, { kid: 7 })).toBe(one);
    expect(heightOf({ g: 3, "norm of g": 1e6 })).toBe(2 * 360);
    expect(heightOf({ g: 3, "norm of g": 1e6, accuracy: 0.5 }, { diversity: 0.9 })).toBe(3 * 360);
    expect(heightOf({ g: 3, "norm of g": Number.NaN })).toBe(one);
  });
});
