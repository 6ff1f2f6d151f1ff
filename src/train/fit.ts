import { prefetch } from "../data/prefetch.ts";
import type { DataSource, Skipped } from "../data/source.ts";
import type { Runtime, StateReader, Tensors } from "../engine/index.ts";
import { userError } from "../errors.ts";
import { pictureGrid } from "../image/draw/grid.ts";
import type { Picture } from "../image/picture.ts";
import { toPictures } from "../tensor/pictures.ts";
import { assertFinite } from "../tensor/safetensors.ts";
import { type Best, type BestBy, type Keeper, openKeeper } from "./bestKeeper.ts";
import { type Checkpoint, type Pending, pickWeights, readWeights } from "./checkpoint.ts";
import type { Alarms } from "./ganAlarms.ts";
import type { MetricLine } from "./metricLines.ts";
import type { ResultFile, Run } from "./run.ts";
import { type Pace, startPace } from "./speed.ts";
import { openStages, type RunStage, type Stages, stageAt } from "./stages.ts";

type Numbers = Readonly<Record<string, number>>;

/** A training, ready to start or to go on. Everything in it is a pure function of the step. */
export interface FitPlan {
  /** One after the other; weights are carried over, a checkpoint replaces them. */
  readonly stages: readonly RunStage[];
  readonly source: DataSource;
  /** The last step; steps count from 1. */
  readonly steps: number;
  /** Steps between lines of metrics, checkpoints and samples; all happen at the last step too. */
  readonly every: { readonly log: number; readonly save: number; readonly sample?: number };
  /** A picture of what the weights can do; moving averages where they are kept. Keys are "network/parameter". */
  sample?(weights: Tensors, step: number): Promise<Picture>;
  /** Numbers on held-out data, taken when samples are. */
  evaluate?(weights: Tensors, step: number): Promise<Numbers>;
  /** What looks wrong by the metrics so far, asked after each evaluation. */
  watch?(lines: readonly MetricLine[]): Alarms;
  /** The evaluation by which the best weights are kept beside the last ones. */
  readonly best?: BestBy;
  readonly run: Run;
  /**
   * The networks whose weights are written at the end; the first one's are the best weights too. All in one unless
   * given.
   */
  readonly results?: readonly ResultFile[];
  /** Batches made ahead. */
  readonly depth?: number;
}

export interface FitOptions {
  readonly runtime: Runtime;
  /** Aborting ends the training after the running step; it saves and can be resumed. */
  readonly signal?: AbortSignal;
  /** Milliseconds from any origin. */
  readonly now?: () => number;
}

/** The news of one step. */
export interface Tick {
  readonly step: number;
  readonly steps: number;
  /** Losses and metrics of this step. */
  readonly losses: Numbers;
  readonly learningRate: number | Numbers;
  readonly picturesPerSecond: number;
  readonly secondsLeft: number;
  /** Share of the time spent waiting for data, 0…1. */
  readonly waiting: number;
  /** The checkpoint just written. */
  readonly saved?: string;
  /** The sample just written. */
  readonly sample?: string;
  readonly evaluation?: Numbers;
  /** What began to look wrong at this evaluation: what was seen and what to do, a line each. Training goes on. */
  readonly alarm?: string;
  /** The best weights so far: when they were just written, and at the end. */
  readonly best?: Best;
  /** Files found unusable since the last tick. */
  readonly skipped?: readonly Skipped[];
  /** Stopped by the signal; the last tick. */
  readonly interrupted?: boolean;
  /** The finished weights; the last tick. */
  readonly weights?: string;
  /** All of them, where a recipe has several results. */
  readonly results?: readonly string[];
}

/** Pictures beside each other on a sheet of what a step shows. */
const COLUMNS = 8;
const nothing: Pending = { count: 0, sums: {} };

/**
 * Trains and yields a tick per step, then one that says how it ended. Train 20 is train 10, stop, resume 10, bit for
 * bit where the runtime repeats its sums. Leaving the loop early saves nothing; abort the signal instead.
 */
export async function* fit(plan: FitPlan, options: FitOptions): AsyncGenerator<Tick, void> {
  const stages = openStages(plan.stages, options.runtime);
  const { source, steps, every, run } = plan;
  const { signal, now = () => performance.now() } = options;
  try {
    // Where it stands
    let { step: done, pending } = await begin(stages, run);
    const [saver, keeper] = [makeSaver(plan, stages, done), await openKeeper(plan)];
    const [pace, tellSkipped] = [startPace(now), newlySkipped(source)];
    let tick = firstTick(plan, done);

    for await (const batch of prefetch(source, { from: done + 1, to: steps, depth: plan.depth, signal, now })) {
      // One step
      done = batch.step;
      const isDue = (interval?: number): boolean => !!interval && (done % interval === 0 || done === steps);
      const { losses, shown } = await stages.run(done, batch.tensors, { isShown: isDue(every.sample) });
      saver.checkLosses(losses, done);
      pace.step(batchSize(batch.tensors), batch.waited);
      tick = tickOf(plan, { done, losses, pace });

      // What is due now; the checkpoint last, so that whatever a crash undoes is done again
      pending = addLosses(pending, losses);
      if (isDue(every.log)) {
        const { learningRate, picturesPerSecond, waiting } = tick;
        await run.log({ step: done, losses: meanOf(pending), learningRate, picturesPerSecond, waiting });
        pending = nothing;
      }
      const samples = isDue(every.sample) ? await takeSamples(plan, { stages, keeper, done, shown }) : {};
      const saved = isDue(every.save) ? await saver.save(done, pending) : undefined;
      yield { ...tick, ...samples, ...(saved && { saved }), ...tellSkipped() };
    }

    // The end, or as far as it came
    if (keeper.best) tick = { ...tick, best: keeper.best };
    const end = async () => ({ saved: await saver.save(done, pending), interrupted: true });
    yield { ...tick, ...(await (done < steps ? end() : saveResults(plan, stages))) };
  } finally {
    await stages.dispose();
  }
}

/** Opens the stage that a run is in, and says how far it is. */
async function begin(stages: Stages, run: Run): Promise<Pick<Checkpoint, "step" | "pending">> {
  if (run.checkpoint) await restore(stages, run);
  else await stages.open(1);
  return run.checkpoint ?? { step: 0, pending: nothing };
}

/** Gives the step its numbers back; one that does not fit is named with the folder. */
async function restore(stages: Stages, { folder, checkpoint }: Run): Promise<void> {
  try {
    await stages.restore(checkpoint!);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "UserError") throw error;
    throw userError(
      folder,
      `expected a checkpoint of this recipe and its options, got another: ${error.message}`,
      "Put back the run's own, or start a new run.",
    );
  }
}

interface Now {
  readonly done: number;
  readonly losses: Numbers;
  readonly pace: Pace;
}

const tickOf = ({ steps, stages }: FitPlan, { done, losses, pace }: Now): Tick => ({
  step: done,
  steps,
  losses,
  learningRate: stageAt(stages, done).rate(done),
  picturesPerSecond: pace.picturesPerSecond,
  secondsLeft: (steps - done) * pace.secondsPerStep,
  waiting: pace.waiting,
});

const firstTick = ({ steps, stages }: FitPlan, step: number): Tick => ({
  step,
  steps,
  losses: {},
  learningRate: stageAt(stages, step).rate(Math.max(1, step)),
  picturesPerSecond: 0,
  secondsLeft: 0,
  waiting: 0,
});

/** Gives the files that were found unusable since it was last asked. */
function newlySkipped(source: DataSource): () => Pick<Tick, "skipped"> {
  let seen = 0;
  return () => {
    const skipped = source.skipped.slice(seen);
    seen += skipped.length;
    return skipped.length > 0 ? { skipped } : {};
  };
}

/** The first side of the first tensor. */
const batchSize = (tensors: Tensors): number => Object.values(tensors)[0]?.shape[0] ?? 1;

const addLosses = ({ count, sums }: Pending, losses: Numbers): Pending => ({
  count: count + 1,
  sums: Object.fromEntries(Object.entries(losses).map(([name, value]) => [name, (sums[name] ?? 0) + value])),
});

const meanOf = ({ count, sums }: Pending): Numbers =>
  Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / count]));

type Samples = Pick<Tick, "sample" | "evaluation" | "alarm" | "best">;

async function takeSamples(
  plan: FitPlan,
  { stages, keeper, done, shown }: { stages: Stages; keeper: Keeper; done: number; shown: Tensors },
): Promise<Samples> {
  const { run, sample, evaluate } = plan;
  for (const [name, pictures] of Object.entries(shown))
    await run.sample(done, pictureGrid(toPictures(pictures), { columns: COLUMNS }), name);
  if (!sample && !evaluate) return {};
  const weights = await readWeights(stages);
  const evaluation = await evaluate?.(weights, done);
  const alarm = evaluation && (await logEvaluation(plan, { step: done, evaluation }));
  const isBest = evaluation && (await keeper.offer(done, weights, evaluation));
  const picture = await sample?.(weights, done);
  return {
    ...(picture && { sample: await run.sample(done, picture) }),
    ...(evaluation && { evaluation }),
    ...(alarm && { alarm }),
    ...(isBest && { best: keeper.best! }),
  };
}

/** Logs an evaluation with what looks wrong; returns what did not at the one before. */
async function logEvaluation({ run, watch }: FitPlan, line: MetricLine): Promise<string | undefined> {
  const before = run.lines.findLast(({ evaluation }) => evaluation)?.alarms ?? {};
  const alarms = watch?.([...run.lines, line]) ?? {};
  const begun = Object.keys(alarms).filter((kind) => !(kind in before));
  await run.log(Object.keys(alarms).length > 0 ? { ...line, alarms } : line);
  return begun.length > 0 ? begun.map((kind) => alarms[kind]!).join("\n") : undefined;
}

/** Writes every result; the first one's path is the run's. */
async function saveResults(
  { run, results = [{}] }: FitPlan,
  stages: Stages,
): Promise<Pick<Tick, "weights" | "results">> {
  const weights = await readWeights(stages);
  const paths: string[] = [];
  for (const { name, keep, metadata = {} } of results)
    paths.push(await run.saveWeights(pickWeights(weights, keep), metadata, name));
  return { weights: paths[0]!, ...(paths.length > 1 && { results: paths }) };
}

/** A state that refuses to be read where a number is infinite or none. */
const finite = ({ shapes, entries }: StateReader, where: string, cure: string): StateReader => ({
  shapes,
  async *entries(isAsked) {
    for await (const [name, value] of entries(isAsked)) {
      assertFinite({ [name]: value }, where, cure);
      yield [name, value];
    }
  },
});

/** Writes checkpoints, but none that holds a number gone wrong: the last good one stays. */
function makeSaver({ run }: FitPlan, stages: Stages, start: number) {
  let good = start;
  let path: string | undefined;
  const cure = (): string =>
    `${good > 0 ? `The checkpoint of step ${good} is kept.` : "Nothing was saved yet."} Lower the learning rate or clip the gradients.`;
  return {
    checkLosses(losses: Numbers, at: number): void {
      const wrong = Object.entries(losses).find(([, value]) => !Number.isFinite(value));
      if (wrong)
        throw userError(run.folder, `expected finite losses, got ${wrong[0]} = ${wrong[1]} at step ${at}`, cure());
    },
    async save(at: number, pending: Pending): Promise<string> {
      if (path && at === good) return path;
      path = await run.save({ step: at, state: finite(stages, `${run.folder}, step ${at}`, cure()), pending });
      good = at;
      return path;
    },
  };
}
