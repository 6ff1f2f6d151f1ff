import type { Runtime } from "../../engine/index.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import { openDiffusion } from "./diffusion.ts";
import { type Generator, openOnePass, type Sampling } from "./generator.ts";

/**
 * Opens a generator of any kind. @param sampling how a diffusion model makes pictures; others have no choice
 * @throws UserError where the model is known as a graph only
 */
export const openGenerator = (
  model: LoadedModel<UseOf<"generate">>,
  runtime: Runtime,
  sampling: Sampling = {},
): Promise<Generator> =>
  model.usage.diffusion ? openDiffusion(model, runtime, sampling) : openOnePass(model, runtime);
