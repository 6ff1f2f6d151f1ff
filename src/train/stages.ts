import type { Runtime, StateReader, Step, StepFetch, StepNumbers, StepReport, Tensors } from "../engine/index.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { OpenedStage } from "./step.ts";

/** What a run needs of a stage. */
export type RunStage = Pick<OpenedStage, "first" | "last" | "compile" | "rate" | "emaDecay" | "shown">;

/** The step that is in force, and the stage it belongs to. */
export interface Running {
  readonly stage: RunStage;
  readonly step: Step;
}

/** The stages of a run, one after the other: each goes on with the weights that those before it made. */
export interface Stages extends StateReader {
  /** Opens the stage that a step of the run belongs to; ends the one before. */
  open(step: number): Promise<Running>;
  /** One step of the run, in its stage. Steps are asked for in order. @throws what `Step.run` throws */
  run(step: number, feeds: Tensors, fetch?: StageFetch): Promise<StepReport>;
  /**
   * Opens the stage that a checkpoint was written in, and gives it its state.
   * @throws UserError for another recipe's state
   */
  restore(checkpoint: Pick<Checkpoint, "step" | "state">): Promise<void>;
  /**
   * The shapes of the present stage's state, and of the weights of earlier stages' networks that it lacks:
   * "weights/<network>/…".
   */
  readonly shapes: StateReader["shapes"];
  dispose(): Promise<void>;
}

/** What of a step is read back. */
interface StageFetch extends Pick<StepFetch, "numbers"> {
  /** All pictures that the step shows. */
  readonly isShown?: boolean;
}

const prefixed = (weights: Tensors): Tensors =>
  Object.fromEntries(Object.entries(weights).map(([key, value]) => [`weights/${key}`, value]));

const weightsIn = (state: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(state).flatMap(([name, value]) =>
      name.startsWith("weights/") ? [[name.slice("weights/".length), value]] : [],
    ),
  );

/** The stage that a step of the run belongs to; the last one for what comes after it. */
export const stageAt = (stages: readonly RunStage[], step: number): RunStage =>
  stages.find(({ last }) => step <= last) ?? stages.at(-1)!;

/** Weights, by their names in a state, that a step has not. */
const lackedBy = (step: Step | undefined, weights: Tensors): [string, Tensor][] =>
  Object.entries(prefixed(weights)).filter(([name]) => !(name in (step?.shapes ?? {})));

/** How a step of the run is steered in its stage. */
const numbersAt = ({ first, rate, emaDecay }: RunStage, step: number): StepNumbers => ({
  step: step - first + 1,
  learningRate: rate(step),
  emaDecay: emaDecay(step),
});

/** Opens stages on a runtime; nothing is compiled before it is asked for. */
export function openStages(stages: readonly RunStage[], runtime: Runtime): Stages {
  let running: Running | undefined;
  /** What the stages before the present one made. */
  let weights: Tensors = {};
  const left = (): [string, Tensor][] => lackedBy(running?.step, weights);
  const dispose = async (): Promise<void> => {
    await running?.step.dispose();
    running = undefined;
  };
  const at = async (step: number): Promise<Running> => {
    const stage = stageAt(stages, step);
    if (running?.stage === stage) return running;
    if (running) weights = { ...weights, ...weightsIn(await running.step.read("weights")) };
    await dispose();
    running = { stage, step: await stage.compile(runtime, { weights }) };
    return running;
  };
  return {
    open: at,
    async run(number, feeds, { numbers, isShown = false } = {}) {
      const { stage, step } = await at(number);
      const fetch = { ...(numbers && { numbers }), ...(isShown && { shown: stage.shown() }) };
      return step.run(feeds, numbersAt(stage, number), fetch);
    },
    async restore({ step, state }) {
      weights = weightsIn(state);
      const stage = stageAt(stages, step);
      running = { stage, step: await stage.compile(runtime, { weights }) };
      await running.step.write(state);
    },
    get shapes() {
      return { ...Object.fromEntries(left().map(([name, { shape }]) => [name, shape])), ...running?.step.shapes };
    },
    async *entries(isAsked = () => true) {
      if (running) yield* running.step.entries(isAsked);
      for (const [name, value] of left()) if (isAsked(name)) yield [name, value];
    },
    dispose,
  };
}
