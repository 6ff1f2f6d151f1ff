/** Imago's public API for web pages: the engine, networks, training in memory, pictures of a canvas. Nothing here needs Node. */
import type { z } from "zod";
import type { Runtime } from "./engine/index.ts";
import { userError } from "./errors.ts";
import { isFor, type LoadedModel } from "./modelFiles/model.ts";
import type { LoadOptions } from "./modelFiles/names.ts";
import { readModel } from "./modelFiles/read.ts";
import { uses } from "./nn/use.ts";
import { checkOptions } from "./options/schema.ts";
import { webCodec, webFiles } from "./platform/web.ts";
import { networkUpscaler, type Upscaler, upscaleOptions } from "./tasks/upscale/upscale.ts";

export { z } from "zod";
export { type Examples, exampleSource } from "./data/exampleSource.ts";
export { openShapes, type ShapeOptions } from "./data/sets/shapes.ts";
export * as engine from "./engine/index.ts";
export { createRuntime, type WebRuntimeName, type WebRuntimeOptions } from "./engine/runtime/web.ts";
export { UserError } from "./errors.ts";
export * from "./image/channels.ts";
export * from "./image/color.ts";
export { pictureGrid } from "./image/draw/grid.ts";
export { syntheticPhotograph } from "./image/draw/synthetic.ts";
export * from "./image/picture.ts";
export { type ResizeOptions, resize, scaledSize } from "./image/resize.ts";
export type { Card, LoadedModel } from "./modelFiles/model.ts";
export type { LoadOptions } from "./modelFiles/names.ts";
export { packModel } from "./modelFiles/own.ts";
export { models } from "./models/index.ts";
export * as initializers from "./nn/initializers.ts";
export * as layers from "./nn/layers.ts";
export * as losses from "./nn/losses.ts";
export {
  defineModel,
  initialWeights,
  type ModelDefinition,
  type Network,
  network,
  type Parameters,
  parameterCount,
} from "./nn/model.ts";
export * as norms from "./nn/norms.ts";
export * as optimizers from "./nn/optimizers.ts";
export * as schedules from "./nn/schedules.ts";
export { type Use, type UseName, type UseOf, uses } from "./nn/use.ts";
export { fromImageData, toImageData } from "./platform/web.ts";
export { autoencoder } from "./recipes/autoencoder.ts";
export { classifier } from "./recipes/classifier.ts";
export { dcgan } from "./recipes/dcgan.ts";
export { cgan, gan } from "./recipes/gan.ts";
export { defineRecipe, type RecipeDefinition, recipes } from "./recipes/index.ts";
export { stylegan2 } from "./recipes/stylegan2.ts";
export { vae } from "./recipes/vae.ts";
export { type BenchRow, bench } from "./tasks/bench/bench.ts";
export { workloads } from "./tasks/bench/workloads.ts";
export { type Learner, type LearnOptions, type LearnTools, openLearner } from "./tasks/train/inMemory.ts";
export type { Upscaler } from "./tasks/upscale/upscale.ts";
export { type Random, random } from "./tensor/random.ts";
export { readSafetensors, writeSafetensors } from "./tensor/safetensors.ts";
export * from "./tensor/tensor.ts";

/** Decodes a picture by its URL, or the bytes of its file, as the browser does; `fromImageData` takes what a canvas holds. */
export const readPicture = webCodec.read;

/** Loads a model of a URL: .safetensors as Imago writes them, or .onnx. */
export const loadModel = async (url: string, options: LoadOptions = {}): Promise<LoadedModel> =>
  readModel(await webFiles.read(url), url, options);

const webUpscaleOptions = upscaleOptions.pick({ tile: true });

/** Opens a network for enlarging pictures, one after the other. The runtime stays its giver's to dispose. */
export function openUpscaler(
  model: LoadedModel,
  { runtime, ...options }: z.input<typeof webUpscaleOptions> & { readonly runtime: Runtime },
): Upscaler {
  if (!isFor(model, "upscale"))
    throw userError(
      model.name,
      `expected a model that ${uses.upscale.does}, got one that ${uses[model.usage.task].does}`,
    );
  const { tile } = checkOptions(webUpscaleOptions, options, (name) => `upscale › ${name}`);
  return networkUpscaler(model, { get: async () => runtime }, tile);
}
