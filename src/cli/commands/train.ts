import { z } from "zod";
import { normOf } from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import { useText } from "../../nn/useText.ts";
import { recipes } from "../../recipes/index.ts";
import { profileText } from "../../report/profile.ts";
import { dataOptions, findRecipe, trainOptions } from "../../tasks/train/options.ts";
import { profileSteps } from "../../tasks/train/profile.ts";
import { planResume, planTraining, type Training, type TrainTick } from "../../tasks/train/train.ts";
import { freeRun } from "../../tasks/train/trainTask.ts";
import type { Best } from "../../train/bestKeeper.ts";
import type { Tick } from "../../train/fit.ts";
import { type Context, defineCommand, jsonOption, runtimeChoice, runtimeOptions } from "../command.ts";
import { exit } from "../exit.ts";
import { flagOf } from "../flags.ts";
import { duration, printJson, statusLine } from "../io.ts";

const { run, data, ...rest } = trainOptions.shape;

/** Flags of every training. All are optional here: a run that goes on has them already. */
const common = z.object({
  data: data.optional(),
  run: run.optional(),
  resume: z
    .string()
    .min(1)
    .optional()
    .describe("folder of a run to go on with; its options are kept")
    .meta({ placeholder: "folder" }),
  ...rest,
  ...runtimeOptions,
  dryRun: z.boolean().default(false).describe("look through options and data, print the plan, write nothing"),
  profile: profileSteps
    .optional()
    .describe("time this many steps (20 unless a number is given), print where their time goes, write nothing")
    .meta({ bare: 20, placeholder: "steps" }),
  ...jsonOption,
});

/** The flags of a training, and those of the recipe that is named. */
const options = {
  all: z.object(Object.assign({}, ...recipes.map(({ options }) => options.shape), dataOptions(recipes), common.shape)),
  of([name]: readonly string[]): z.ZodObject {
    if (name === undefined) return common.extend(dataOptions(recipes));
    const recipe = findRecipe(name);
    return common.extend({ ...dataOptions([recipe]), ...recipe.options.shape });
  },
};

export const trainCommand = defineCommand({
  name: "train",
  summary: `Train a network by a recipe, or go on with a run (--resume). The run's folder holds its options,
metrics, checkpoint and samples, and at the end weights.safetensors. Ctrl-C saves and stops.
Recipes: ${recipes.map(({ name, summary }) => `${name}, ${summary}`).join("; ")}.
"imago train <recipe> --help" lists the recipe's own options.`,
  arguments: [
    { name: "recipe", description: `what to train: ${recipes.map(({ name }) => name).join(", ")}`, isRequired: false },
  ],
  options,
  isRecorded: true,
  examples: [
    "imago train srcnn --data photos/ --steps 20000 --seed 1 --run runs/mine",
    "imago train --resume runs/mine --steps 40000",
    "imago train srcnn --data photos/ --profile",
  ],
  async run([name], all, context) {
    const { resume, dryRun, profile, json, runtime, threads, ...options } = all as z.output<typeof common>;
    const choice = runtimeChoice({ runtime, threads });
    const plan =
      resume === undefined ? planNew(name, options, choice, context) : planOn(resume, options, choice, context);
    const training = await plan;
    const { folder, steps, description } = training;
    const goal = `  run      ${folder}, ${count(steps)} steps, seed ${description.seed}\n`;
    context.io.err(`${describe(training)}\n${profile === undefined ? goal : ""}`);
    if (profile !== undefined && !dryRun) return tellProfile(training, { steps: profile, json }, context);
    if (!dryRun) return follow(training, json, context);
    if (json) printJson(context.io, training.description);
    return exit.done;
  },
});

type Options = Omit<z.output<typeof common>, "resume" | "dryRun" | "profile" | "json" | "runtime" | "threads">;
type Choice = ReturnType<typeof runtimeChoice>;

async function planNew(
  name: string | undefined,
  options: Options,
  choice: Choice,
  { platform }: Context,
): Promise<Training> {
  if (name === undefined)
    throw userError(
      "imago train",
      `expected a recipe (${recipes.map((one) => one.name).join(", ")}) or --resume, got neither`,
    );
  const recipe = findRecipe(name);
  if (options.data === undefined) throw userError("--data", "expected folders or pictures to learn from, got nothing");
  const run = options.run ?? (await freeRun(name, platform));
  return planTraining(recipe, { ...options, data: options.data, run }, platform, choice);
}

/** Only what was given changes; the rest is as the run was started. */
function planOn(folder: string, options: Options, choice: Choice, { platform, given }: Context): Promise<Training> {
  const kept = ["like", "seed", "run", "start", ...recipes.flatMap((recipe) => Object.keys(recipe.options.shape))];
  const wrong = kept.find((option) => given.has(option));
  if (wrong) throw userError(flagOf(wrong), "expected none with --resume, which keeps what the run was started with");
  const changes = Object.fromEntries(Object.entries(options).filter(([option]) => given.has(option)));
  return planResume(folder, changes, platform, { runtime: choice });
}

/** Says where a step's time goes; trains nothing that is kept. */
async function tellProfile(
  training: Training,
  { steps, json }: { readonly steps: number; readonly json: boolean },
  { io }: Context,
): Promise<number> {
  const status = statusLine(io);
  const onProgress = (done: number, total: number): void => status.show(`step ${done} of ${total}`);
  const profile = await training.profile({ steps, signal: io.signal, onProgress }).finally(status.clear);
  if (json) printJson(io, { recipe: training.recipe.name, ...profile });
  else io.out(`${profileText(profile)}\n`);
  return exit.done;
}

const count = (value: number): string => value.toLocaleString("en-US");

function describe({ recipe, parameters, description, usage }: Training): string {
  const { data, options } = description;
  const settings = Object.entries(options).map(([key, value]) => `${flagOf(key)} ${value}`);
  return [
    `${recipe.name}: ${recipe.summary}`,
    `  network  ${count(parameters)} numbers, ${useText(usage)}`,
    `  options  ${settings.join(" ")}`,
    `  data     ${count(data.count)} pictures, ${(data.bytes / 2 ** 20).toFixed(1)} MiB, sha256 ${data.sha256.slice(0, 12)}…`,
  ].join("\n");
}

/** "generator 0.6931 |∇| 0.13": a gradient's norm stands behind its network's loss. */
const lossText = (losses: Tick["losses"]): string =>
  Object.entries(losses)
    .filter(([name]) => !name.startsWith(normOf("")))
    .map(([name, value]) => {
      const norm = losses[normOf(name)];
      return `${name} ${value.toPrecision(4)}${norm === undefined ? "" : ` |∇| ${norm.toPrecision(2)}`}`;
    })
    .join("  ");

const progress = ({ step, steps, losses, picturesPerSecond, secondsLeft }: Tick): string =>
  `step ${count(step)}/${count(steps)}  ${lossText(losses)}  ${picturesPerSecond.toFixed(0)} images/s  ${duration(secondsLeft)} left`;

/** Trains and tells; returns the exit code. */
async function follow(training: Training, json: boolean, { io }: Context): Promise<number> {
  const status = statusLine(io);
  const interval = (training.description.settings as { readonly log: number }).log;
  const start = performance.now();
  let last: TrainTick | undefined;
  try {
    for await (const tick of training.start({ signal: io.signal })) {
      for (const { reason } of tick.skipped ?? []) status.say(`skipped: ${reason}`);
      if (tick.weights === undefined && !tick.interrupted) {
        const isLogged = tick.step % interval === 0 || tick.step === tick.steps;
        if (isLogged) status.say(progress(tick));
        else status.show(progress(tick));
      }
      if (tick.evaluation) status.say(`step ${count(tick.step)}  ${evaluationText(tick.evaluation)}`);
      if (tick.alarm)
        for (const text of tick.alarm.split("\n")) status.say(`step ${count(tick.step)}  WARNING: ${text}.`);
      last = { ...tick, losses: { ...last?.losses, ...tick.losses } };
    }
  } finally {
    status.clear();
  }
  return finish(training, last!, { json, seconds: (performance.now() - start) / 1000, io });
}

const evaluationText = ({ psnr, ssim, ...rest }: Readonly<Record<string, number>>): string =>
  [
    psnr !== undefined && `PSNR ${psnr.toFixed(2)} dB`,
    ssim !== undefined && `SSIM ${ssim.toFixed(4)}`,
    ...Object.entries(rest).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`),
  ]
    .filter(Boolean)
    .join("  ");

const bestText = ({ path, step, score }: Best, { description }: Training): string => {
  const { keepBest } = description.settings as { readonly keepBest: string };
  return `Best by ${keepBest} (${score.toPrecision(4)} at step ${count(step)}): ${path}\n`;
};

function finish(
  training: Training,
  last: TrainTick,
  { json, seconds, io }: { json: boolean; seconds: number; io: Context["io"] },
): number {
  const { folder, steps } = training;
  const interrupted = last.interrupted === true;
  if (json)
    printJson(io, {
      run: folder,
      recipe: training.recipe.name,
      step: last.step,
      steps,
      interrupted,
      losses: last.losses,
      weights: last.weights ?? null,
      best: last.best ?? null,
      animation: last.animation ?? null,
      seconds,
    });
  if (last.animation) io.err(`Samples one after the other: ${last.animation}\n`);
  if (last.best) io.err(bestText(last.best, training));
  if (interrupted) {
    io.err(
      `Stopped after step ${count(last.step)}; saved ${last.saved}.\nGo on with: imago train --resume ${folder}\n`,
    );
    return exit.interrupted;
  }
  io.err(`Done in ${duration(seconds)}.\n`);
  if (!json) io.out(`${last.weights}\n`);
  return exit.done;
}
