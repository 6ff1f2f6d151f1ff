import { createHash } from "node:crypto";
import type { DataSource } from "../../src/data/source.ts";
import type { Runtime, StateReader, Step, Tensors } from "../../src/engine/index.ts";
import { userError } from "../../src/errors.ts";
import type { Picture } from "../../src/image/picture.ts";
import type { FileContent, FilePart, Files } from "../../src/platform/files.ts";
import { random } from "../../src/tensor/random.ts";
import { floats, type Tensor, tensor } from "../../src/tensor/tensor.ts";
import type { FitPlan, Tick } from "../../src/train/fit.ts";
import { openRun, type RunDescription } from "../../src/train/run.ts";
import type { RunStage } from "../../src/train/stages.ts";

/** What stands for kill -9. */
export class Crash extends Error {}

/** A disk in memory that dies at a chosen change. */
export class MemoryFiles implements Files {
  readonly content = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly folders = new Set<string>();
  readonly locks = new Set<string>();
  /** Changes made so far. */
  changes = 0;
  /** The change at which it dies; what `append` adds is then half there. */
  deadline = Number.POSITIVE_INFINITY;

  /** Counts a change; true when it is the one that dies. */
  #isLast(): boolean {
    if (this.changes >= this.deadline) throw new Crash();
    return ++this.changes === this.deadline;
  }

  #change(act: () => void): void {
    if (this.#isLast()) throw new Crash();
    act();
  }

  async read(path: string) {
    const found = this.content.get(path);
    if (!found) throw userError(path, "expected a file, got none");
    return found.slice();
  }
  async readRange(path: string, begin: number, end: number) {
    return (await this.read(path)).slice(begin, end);
  }
  async write(path: string, content: FileContent) {
    const whole =
      typeof content === "string" || content instanceof Uint8Array ? bytesOf(content) : await joined(content);
    this.#change(() => this.content.set(path, whole));
  }
  async append(path: string, content: string | Uint8Array) {
    const [before, added] = [this.content.get(path) ?? new Uint8Array(), bytesOf(content)];
    const dies = this.#isLast();
    const kept = dies ? added.subarray(0, added.length >> 1) : added;
    this.content.set(path, bytesOf(Buffer.concat([before, kept])));
    if (dies) throw new Crash();
  }
  async size(path: string) {
    return this.content.get(path)?.length;
  }
  async modified(path: string) {
    return this.content.has(path) ? 0 : undefined;
  }
  async exists(path: string) {
    return this.content.has(path) || this.folders.has(path);
  }
  async list(folder: string) {
    const inside = [...this.content.keys(), ...this.folders].filter((path) => path.startsWith(`${folder}/`));
    const names = new Set(inside.map((path) => path.slice(folder.length + 1).split("/")[0]!));
    return [...names].map((name) => ({ name, isFolder: this.folders.has(`${folder}/${name}`) }));
  }
  async makeFolder(folder: string) {
    this.folders.add(folder);
  }
  async rename(from: string, to: string) {
    this.#change(() => {
      this.content.set(to, this.content.get(from)!);
      this.content.delete(from);
    });
  }
  async remove(path: string) {
    this.#change(() => this.content.delete(path));
  }
  async sha256(path: string) {
    return createHash("sha256")
      .update(await this.read(path))
      .digest("hex");
  }
  async lock(path: string) {
    if (this.locks.has(path)) throw userError(path, "expected a free lock, got one held");
    this.locks.add(path);
    return async () => void this.locks.delete(path);
  }
  /** The machine starts again. */
  restart(): void {
    this.deadline = Number.POSITIVE_INFINITY;
    this.changes = 0;
    this.locks.clear();
  }
}

const bytesOf = (content: string | Uint8Array): Uint8Array<ArrayBuffer> =>
  typeof content === "string" ? new TextEncoder().encode(content) : new Uint8Array(content);

/** The bytes of a file that comes in pieces. */
export async function joined(parts: Exclude<FileContent, string | Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: FilePart[] = [];
  for await (const { at, bytes } of parts) pieces.push({ at, bytes: bytes.slice() });
  const whole = new Uint8Array(Math.max(...pieces.map(({ at, bytes }) => at + bytes.length)));
  for (const { at, bytes } of pieces) whole.set(bytes, at);
  return whole;
}

/** A state that lies in memory. */
export const stateOf = (tensors: Tensors): StateReader => ({
  shapes: Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape])),
  async *entries(isAsked = () => true) {
    for (const [name, value] of Object.entries(tensors)) if (isAsked(name)) yield [name, value];
  },
});

/** A straight line through points that depend on the step alone: [N, 1] each. */
export const lineSource = (seed: number, batch = 4): DataSource => ({
  description: { count: 100, bytes: 800, sha256: "0123" },
  skipped: [],
  async batch(step) {
    const draw = random(seed, "line", step);
    const x = Float32Array.from({ length: batch }, draw.normal);
    return {
      x: tensor(x, [batch, 1]),
      y: tensor(
        x.map((value) => 3 * value - 1),
        [batch, 1],
      ),
    };
  },
});

/** Momentum SGD with averages and noise on y = a x + b, so that a resume that forgets anything ends elsewhere. */
export const lineStep = (seed: number): Step => {
  let state: Record<string, Float32Array> = {
    "weights/line/ab": Float32Array.of(0, 0),
    "velocity/line/ab": Float32Array.of(0, 0),
    "ema/line/ab": Float32Array.of(0, 0),
    "weights/line/seen": Float32Array.of(0),
  };
  const held = (): Record<string, Tensor> =>
    Object.fromEntries(Object.entries(state).map(([name, data]) => [name, tensor(data.slice(), [data.length])]));
  return {
    inputs: { x: [4, 1], y: [4, 1] },
    async run({ x, y }: Tensors, { step, learningRate, emaDecay = 0 }) {
      const noise = random(seed, "noise", step);
      const [w, v, e] = ["weights/line/ab", "velocity/line/ab", "ema/line/ab"].map((name) => state[name]!) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const slope = [0, 0];
      let loss = 0;
      floats(x!).forEach((value, i) => {
        const error = w[0]! * value + w[1]! - floats(y!)[i]! + 0.01 * noise.normal();
        loss += error ** 2 / 4;
        slope[0]! += (error * value) / 2;
        slope[1]! += error / 2;
      });
      for (const k of [0, 1]) {
        v[k] = 0.9 * v[k]! + slope[k]!;
        w[k]! -= (learningRate as number) * v[k]!;
        e[k]! += (1 - (emaDecay as number)) * (w[k]! - e[k]!);
      }
      state["weights/line/seen"]![0]!++;
      return { losses: { line: loss }, shown: {} };
    },
    shapes: stateOf(held()).shapes,
    entries: (isAsked) => stateOf(held()).entries(isAsked),
    read: async () => held(),
    async write(saved) {
      state = Object.fromEntries(Object.keys(state).map((name) => [name, floats(saved[name]!).slice()]));
    },
    dispose: async () => undefined,
  };
};

export const lineDescription: RunDescription = {
  recipe: "line",
  options: { features: 64, scale: 2 },
  settings: { device: "cpu" },
  seed: 7,
  data: { count: 100, bytes: 800, sha256: "0123" },
  versions: { imago: "0.1.0" },
};

/** Writes the first samples of a picture, as a file that can be compared. */
export const pictureWriter =
  (files: Files) =>
  (path: string, { width, height, data }: Picture): Promise<void> =>
    files.write(path, Buffer.concat([Buffer.from(`${width}×${height} `), Buffer.from(data.buffer)]));

export const noRuntime = { name: "reference", threads: 1 } as Runtime;

export interface LineOptions {
  readonly files: Files;
  readonly resume?: boolean;
  readonly steps?: number;
  readonly plan?: Partial<FitPlan>;
}

/** All steps as one stage. */
export const lineStage = (steps = 20, compile: RunStage["compile"] = async () => lineStep(7)): RunStage => ({
  first: 1,
  last: steps,
  compile,
  shown: () => [],
  rate: (step) => 0.05 / Math.sqrt(step),
  emaDecay: () => 0.8,
});

/** A plan with every interval different. */
export async function linePlan({ files, resume = false, steps = 20, plan }: LineOptions): Promise<FitPlan> {
  const run = await openRun("runs/a", lineDescription, { files, resume, writePicture: pictureWriter(files) });
  return {
    stages: [lineStage(steps)],
    source: lineSource(7),
    steps,
    every: { log: 3, save: 4, sample: 5 },
    sample: async (weights) => ({
      width: 1,
      height: 1,
      channels: 1,
      depth: 8,
      data: Uint8Array.of(Math.abs(Math.round(floats(weights["line/ab"]!)[0]! * 1000)) % 256),
    }),
    evaluate: async (weights) => ({ slope: floats(weights["line/ab"]!)[0]! }),
    run,
    results: [{ metadata: { recipe: "line" } }],
    ...plan,
  };
}

export const collect = async (ticks: AsyncIterable<Tick>): Promise<Tick[]> => {
  const all: Tick[] = [];
  for await (const tick of ticks) all.push(tick);
  return all;
};

/** The lines of metrics without what the clock decides. */
export const metricsOf = (files: MemoryFiles): unknown[] =>
  new TextDecoder()
    .decode(files.content.get("runs/a/metrics.jsonl"))
    .trimEnd()
    .split("\n")
    .map((line) => {
      const { picturesPerSecond: _, waiting: __, ...rest } = JSON.parse(line) as Record<string, unknown>;
      return rest;
    });

export const bytesAt = (files: MemoryFiles, name: string): string =>
  Buffer.from(files.content.get(`runs/a/${name}`)!).toString("base64");
