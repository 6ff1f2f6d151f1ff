import { z } from "zod";
import { withoutDefaults } from "../../options/schema.ts";
import type { Platform } from "../../platform/platform.ts";
import { defineTask, type Progress } from "../common/task.ts";
import { findRecipe, trainOptions } from "./options.ts";
import { planResume, planTraining, type ResumeOptions, type Training, type TrainTick } from "./train.ts";

/** The news of a step, counted as every task's. */
export type StepTick = TrainTick & Progress;

/** Takes the steps of a training; returns the last tick. */
async function* steps({ start }: Training, signal: AbortSignal | undefined): AsyncGenerator<StepTick, StepTick> {
  let last: StepTick | undefined;
  for await (const tick of start({ ...(signal && { signal }) })) {
    last = { ...tick, done: tick.step, total: tick.steps };
    yield last;
  }
  return last!;
}

/** runs/dcgan, or the first of runs/dcgan-2, runs/dcgan-3, … that is not there yet. */
export async function freeRun(recipe: string, { files }: Platform): Promise<string> {
  for (let number = 1; ; number++) {
    const folder = `runs/${recipe}${number > 1 ? `-${number}` : ""}`;
    if (!(await files.exists(folder))) return folder;
  }
}

/** Trains by a recipe into a new run folder. The recipe's own options stand beside those of every training. */
export const train = defineTask({
  name: "train",
  summary: "Train a network by a recipe.",
  takes: "recipe",
  options: z.looseObject({ ...trainOptions.shape, run: trainOptions.shape.run.optional() }),
  gives: "run",
  async *run(given, options, { platform, choice, signal }): AsyncGenerator<StepTick, StepTick> {
    const recipe = typeof given === "string" ? findRecipe(given) : given;
    const run = options.run ?? (await freeRun(recipe.name, platform));
    return yield* steps(await planTraining(recipe, { ...options, run }, platform, choice), signal);
  },
});

/** Goes on with a run where it stopped; only the options that are given change. */
export const resume = defineTask({
  name: "resume",
  summary: "Go on with a training where it stopped.",
  takes: "run",
  options: withoutDefaults(trainOptions.omit({ run: true, seed: true, start: true })),
  gives: "run",
  async *run(given, changes, { platform, choice, signal }): AsyncGenerator<StepTick, StepTick> {
    const { folder, recipe } = typeof given === "string" ? { folder: given } : given;
    const training = await planResume(folder, changes as ResumeOptions, platform, { runtime: choice, recipe });
    return yield* steps(training, signal);
  },
});
