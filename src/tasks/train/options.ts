import { z } from "zod";
import { userError } from "../../errors.ts";
import { type CheckNames, checkOptions, oneOf } from "../../options/schema.ts";
import { type RecipeDefinition, recipes } from "../../recipes/index.ts";
import { metadataOption } from "../common/record.ts";
import { useOptions } from "../uses.ts";

/** What every training can be asked for besides the options of its recipe and of its kind of data. */
export const trainOptions = z.object({
  data: z
    .array(z.string().min(1))
    .min(1)
    .describe("folders, pictures or patterns to learn from; recipes for small pictures take a data set or shapes")
    .meta({ repeated: true, placeholder: "path" }),
  run: z
    .string()
    .min(1)
    .describe("folder of the run; made, and must not exist; runs/ and the recipe's name on the command line")
    .meta({ placeholder: "folder" }),
  steps: z.int().min(1).max(100_000_000).default(10_000).describe("steps to train for"),
  seed: z.int().min(0).max(4_294_967_295).default(0).describe("seed of weights, patches and noise"),
  start: z
    .string()
    .min(1)
    .optional()
    .describe("model of the same network whose weights the result begins with")
    .meta({ placeholder: "model" }),
  validate: z
    .string()
    .min(1)
    .optional()
    .describe("folder of pictures to score at every sample; not learned from")
    .meta({ placeholder: "folder" }),
  ...useOptions.shape,
  log: z.int().min(1).max(1_000_000).default(100).describe("steps from one line of metrics to the next"),
  save: z.int().min(1).max(1_000_000).default(1000).describe("steps from one checkpoint to the next"),
  sample: z.int().min(1).max(1_000_000).default(1000).describe("steps from one sample to the next"),
  accumulate: z
    .int()
    .min(1)
    .max(256)
    .default(1)
    .describe("parts that a batch is worked through in, one after the other, for less memory; not with batch norm"),
  remat: z
    .boolean()
    .default(false)
    .describe("compute blocks of layers again in the backward pass, for less memory; for networks that mark blocks"),
  metadata: metadataOption,
});

export type TrainOptions = z.input<typeof trainOptions>;
export type RunOptions = z.output<typeof trainOptions>;

type Options = Readonly<Record<string, unknown>>;

/** Options of the kinds of data that recipes learn from, at the recipes' defaults. */
export const dataOptions = (of: readonly RecipeDefinition[]): z.ZodRawShape =>
  Object.assign({}, ...of.map((recipe) => recipe.data(recipe.options.parse({})).options.shape));

/** The recipe of a name. @throws UserError when there is none */
export const findRecipe = (name: string, known: readonly RecipeDefinition[] = recipes): RecipeDefinition => {
  const found = known.find((recipe) => recipe.name === name);
  if (found) return found;
  throw userError("recipe", `expected ${oneOf(known.map((recipe) => recipe.name))}, got "${name}"`);
};

/**
 * Tells the options of a recipe from those of its run, and checks both.
 * @param wanted options of the run that are taken; those of the recipe's kind of data are added
 * @throws UserError for a wrong option, and for a recipe that calls an option as the run does
 */
export function checkRecipeOptions<O extends z.ZodObject>(
  recipe: RecipeDefinition,
  options: Options,
  wanted: O,
  where: CheckNames,
): { readonly recipeOptions: Options; readonly runOptions: z.output<O> } {
  const isOwn = (name: string): boolean => name in recipe.options.shape;
  const part = (own: boolean): Options =>
    Object.fromEntries(Object.entries(options).filter(([name]) => isOwn(name) === own));
  const recipeOptions = checkOptions(recipe.options, part(true), where);
  const schema = wanted.extend(recipe.data(recipeOptions).options.shape);
  const shared = Object.keys({ ...trainOptions.shape, ...schema.shape }).find(isOwn);
  if (shared !== undefined)
    throw userError(
      `recipe ${recipe.name}`,
      `expected options with other names than those of a run, got ${shared}`,
      "Rename it.",
    );
  return { recipeOptions, runOptions: checkOptions(schema.strict(), part(false), where) as z.output<O> };
}
