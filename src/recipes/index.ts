import type { RecipeDefinition } from "./recipe.ts";
import { srcnn } from "./srcnn.ts";

export { defineRecipe, type PatchData, type RecipeDefinition, type Usage } from "./recipe.ts";

/** Every recipe; `imago train` knows them from here. */
export const recipes: readonly RecipeDefinition[] = [srcnn];
