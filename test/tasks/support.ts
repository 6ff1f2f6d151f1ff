import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { z } from "zod";
import { type Runtime, referenceRuntime } from "../../src/engine/index.ts";
import { syntheticPhotograph } from "../../src/image/draw/synthetic.ts";
import { type LoadedModel, modelOf } from "../../src/modelFiles/model.ts";
import { packModel } from "../../src/modelFiles/own.ts";
import { srcnn } from "../../src/models/srcnn.ts";
import { initialWeights, network } from "../../src/nn/model.ts";
import type { UseOf } from "../../src/nn/use.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import type { Platform, RuntimeChoice } from "../../src/platform/platform.ts";
import { bindTask, type Sources } from "../../src/tasks/bind.ts";
import type { Progress, Takes, Task } from "../../src/tasks/common/task.ts";

/** A folder that is removed at the end of the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "imago-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const photograph = (width = 64, height = 48, seed = 3) => syntheticPhotograph({ width, height, seed });

export interface TinyOptions {
  readonly usage?: Partial<UseOf<"upscale">>;
  readonly seed?: number;
}

/** An SRCNN of 3-1-3 kernels whose output is near its input, so that pictures stay pictures. */
export function tinyModel({ usage = {}, seed = 1 }: TinyOptions = {}): LoadedModel<UseOf<"upscale">> {
  const full: UseOf<"upscale"> = { task: "upscale", scale: 2, color: "y", input: "enlarged", ...usage };
  const channels = full.color === "y" ? 1 : 3;
  const made = network(srcnn, { channels, features: 4, mapped: 4, kernels: [3, 1, 3] });
  const weights = initialWeights([made], seed);
  for (const [name, { data, shape }] of Object.entries(weights)) {
    if (!name.endsWith("weight")) continue;
    const [outputs, inputs, side] = shape as [number, number, number];
    const values = data as Float32Array;
    for (let i = 0; i < values.length; i++) values[i] = values[i]! * 0.05;
    const middle = Math.floor((side * side) / 2);
    for (let c = 0; c < Math.min(outputs, inputs); c++) values[(c * inputs + c) * side * side + middle]! += 1;
  }
  return modelOf(made, weights, full, `tiny-x${full.scale}`);
}

export const tinyBytes = (options?: TinyOptions): Uint8Array => packModel(tinyModel(options));

/** Node's platform with the models of a folder, and the reference runtime unless another is asked for. */
export const testPlatform = (models = "/nowhere"): Platform => {
  const node = nodePlatform();
  return { ...node, models, runtime: async (choice = {}) => (choice.name ? node.runtime(choice) : referenceRuntime()) };
};

/** A task as a function of its input, its options, a platform and a choice of runtime. */
export const inputRunner =
  <I extends Takes, O extends z.ZodObject, R>(task: Task<string, I, O, Progress, R>) =>
  (source: Sources[I], options: z.input<O>, platform: Platform, choice: RuntimeChoice = {}): Promise<R> => {
    const run = bindTask(task as Task, platform) as (source: unknown, options: object) => Promise<R>;
    return run(source, { ...options, runtime: choice.name, threads: choice.threads });
  };

/** The same for a task that is done to nothing. */
export const runner =
  <O extends z.ZodObject, R>(task: Task<string, "nothing", O, Progress, R>) =>
  (options: z.input<O>, platform: Platform, choice: RuntimeChoice = {}): Promise<R> => {
    const run = bindTask(task as Task, platform) as (options: object) => Promise<R>;
    return run({ ...options, runtime: choice.name, threads: choice.threads });
  };

export const referenceOnly: { get(): Promise<Runtime>; dispose(): Promise<void> } = {
  get: async () => referenceRuntime(),
  dispose: async () => {},
};
