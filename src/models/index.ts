import type { ModelDefinition } from "../nn/model.ts";
import { srcnn } from "./srcnn.ts";

/** Every network family; files name their model from here. */
export const models: readonly ModelDefinition[] = [srcnn as unknown as ModelDefinition];
