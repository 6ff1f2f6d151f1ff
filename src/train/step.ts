import type { Data } from "../data/kind.ts";
import {
  compileStep,
  type Runtime,
  type Step,
  type StepOptions,
  type StepPlan,
  type Tensors,
} from "../engine/index.ts";
import { internal, option, userError } from "../errors.ts";
import { initialWeights, type Network } from "../nn/model.ts";
import type { Use } from "../nn/use.ts";
import type { Given, Networks, RecipeDefinition, RecipeTurn, Stage, StepParts } from "../recipes/index.ts";
import { hash } from "../tensor/random.ts";

type Options = Readonly<Record<string, unknown>>;
type Numbers = Readonly<Record<string, number>>;

/** What a recipe's steps are opened with. */
export interface StepSettings {
  /** The recipe's own options, checked. */
  readonly options: Options;
  /** Steps of the run, at least 1. */
  readonly steps: number;
  /** Seed of first weights and noise. */
  readonly seed?: number;
  /** The models that options name. */
  readonly given?: Given;
  /** First weights that are not drawn, keyed "network/parameter". */
  readonly start?: Tensors;
  /** Compute blocks again in the backward pass. */
  readonly remat?: boolean;
  /** Parts that a batch is worked through in; divides the batch. */
  readonly accumulate?: number;
}

/** A network whose weights are a result of a run. */
export interface Result {
  /** Its key among the recipe's networks. */
  readonly name: string;
  readonly network: Network;
  readonly usage: Use;
}

/** A stage of a run, from its first step to its last; steps of a run count from 1. */
export interface OpenedStage {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** The step over a batch; made once, since networks note what each call carries on. */
  plan(): StepPlan;
  /** Names of the pictures that the step can show. */
  shown(): readonly string[];
  /** Its networks, which no other stage calls. */
  networks(): readonly Network[];
  /** Compiles the step. Weights that are not given are those of `start`, and drawn where that has none. */
  compile(runtime: Runtime, options?: CompileOptions): Promise<Step>;
  /** The learning rate of a step of the run: one number where all turns have the same, else by turn. */
  rate(step: number): number | Numbers;
  /** The decay of the moving averages at a step of the run; undefined where none are kept. */
  emaDecay(step: number): number | Numbers | undefined;
}

interface CompileOptions extends Pick<StepOptions, "profile"> {
  /** First values that earlier stages made, keyed "network/parameter". */
  readonly weights?: Tensors;
}

/** A recipe with its options, ready to be compiled: the one place where its steps are opened. */
export interface OpenedRecipe {
  readonly networks: Networks;
  readonly data: Data;
  /** The main one first. */
  readonly results: readonly [Result, ...Result[]];
  readonly stages: readonly [OpenedStage, ...OpenedStage[]];
}

/**
 * Opens a recipe's networks, data and steps; nothing is compiled or read yet.
 * @throws UserError when `accumulate` does not divide the batch
 */
export function openRecipe(recipe: RecipeDefinition, settings: StepSettings): OpenedRecipe {
  const { options, given = {}, accumulate = 1 } = settings;
  const data = recipe.data(options);
  if (!Number.isInteger(data.batch / accumulate))
    throw userError(
      option("accumulate"),
      `expected a number that divides the batch of ${data.batch}, got ${accumulate}`,
    );
  const networks = recipe.networks(options, given);
  const results = resultsOf(recipe, networks, options);
  return { networks, data, results, stages: openStages(recipe, { data, results }, settings) };
}

function resultsOf(recipe: RecipeDefinition, networks: Networks, options: Options): readonly [Result, ...Result[]] {
  const found = Object.entries(recipe.results(options)).map(([name, usage]) => {
    const network = networks[name];
    if (!network) throw internal(`${recipe.name}: the result "${name}" is none of its networks`);
    return { name, network, usage: usage! };
  });
  const [main, ...others] = found;
  if (!main) throw internal(`${recipe.name}: expected a result, got none`);
  return [main, ...others];
}

type Opened = Pick<OpenedRecipe, "data" | "results">;

/** The stages of a recipe within the steps of a run; those that would begin after its end are left out. */
function openStages(recipe: RecipeDefinition, opened: Opened, settings: StepSettings) {
  const { options, steps } = settings;
  const stages = recipe.stages?.(options) ?? [singleStage(recipe, options)];
  const made: OpenedStage[] = [];
  let first = 1;
  for (const [at, stage] of stages.entries()) {
    const isLast = at === stages.length - 1;
    if (first > steps && at > 0) break;
    const last = isLast ? steps : Math.min(steps, first + (stage.steps ?? steps) - 1);
    made.push(openStage(stage, { ...opened, recipe, settings, first, last, at }));
    first = last + 1;
  }
  const [main, ...others] = made;
  if (!main) throw internal(`${recipe.name}: expected a stage, got none`);
  return [main, ...others] as const;
}

const singleStage = (recipe: RecipeDefinition, options: Options): Stage => ({
  name: recipe.name,
  step(networks, batch, steps) {
    if (!recipe.step) throw internal(`${recipe.name}: expected a step or stages, got neither`);
    return recipe.step(networks, batch, options, steps);
  },
});

interface StageParts extends Opened {
  readonly recipe: RecipeDefinition;
  readonly settings: StepSettings;
  readonly first: number;
  readonly last: number;
  readonly at: number;
}

function openStage(stage: Stage, parts: StageParts): OpenedStage {
  const { recipe, settings, first, last, at } = parts;
  const { seed = 0, start } = settings;
  let made: Planned | undefined;
  const make = (): Planned => (made ??= planOf(stage, parts));
  return {
    name: stage.name,
    first,
    last,
    plan: () => make().plan,
    shown: () => Object.keys(make().plan.shown ?? {}),
    networks: () => make().networks,
    compile(runtime, { weights, profile } = {}) {
      // before first weights are drawn: losses make parameters that no plain call has
      const { plan, networks } = make();
      const drawn = initialWeights(
        networks.filter((one) => !one.frozen),
        seed,
      );
      return compileStep(plan, {
        runtime,
        profile,
        weights: { ...drawn, ...start, ...weights },
        frozen: Object.assign({}, ...networks.map(({ frozen }) => frozen)),
        seed: at === 0 ? seed : hash(seed, "stage", at), // noise of its own
      });
    },
    rate: (step) => rateOf(make().turns, step - first + 1),
    emaDecay: (step) => recipe.emaDecay?.(settings.options, step - first + 1),
  };
}

interface Planned {
  readonly plan: StepPlan;
  readonly turns: StepParts["turns"];
  readonly networks: readonly Network[];
}

function planOf(stage: Stage, { data, results, recipe, settings, first, last }: StageParts): Planned {
  const { remat = false, accumulate = 1, options, given = {} } = settings;
  const networks = recipe.networks(options, given);
  networks[results[0].name]!.parameters(); // its first call, always: noise goes by the number of the call
  const inputs = data.inputs(data.batch / accumulate);
  const { turns, metrics, shown } = stage.step(networks, inputs, last - first + 1);
  const moved = new Set(Object.values(turns).flatMap(({ moves }) => moves.map(({ key }) => key)));
  const plan: StepPlan = {
    turns: Object.fromEntries(
      Object.entries(turns).map(([name, turn]) => [name, { ...turn, moves: turn.moves.map(({ key }) => key) }]),
    ),
    metrics,
    shown,
    carried: Object.values(networks).flatMap(({ carried, frozen }) => (frozen ? [] : carried)),
    ema:
      recipe.emaDecay?.(options, 1) !== undefined
        ? results.map(({ network }) => network.key).filter((key) => moved.has(key))
        : [],
    watchNorms: moved.size > 1, // players must be seen to keep each other going
    remat,
    accumulate,
  };
  return { plan, turns, networks: Object.values(networks) };
}

function rateOf(turns: Readonly<Record<string, RecipeTurn>>, step: number): number | Numbers {
  const rates = Object.entries(turns).map(([name, { rate }]) => [name, rate(step)] as const);
  const [[, first]] = rates as [readonly [string, number]];
  return rates.every(([, rate]) => rate === first) ? first : Object.fromEntries(rates);
}
