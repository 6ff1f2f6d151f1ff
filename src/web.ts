/** Imago's public API for web pages: what runs anywhere, and pictures of a canvas. Nothing here needs Node. */
import type { z } from "zod";
import type { Runtime } from "./engine/index.ts";
import { userError } from "./errors.ts";
import { isFor, type LoadedModel } from "./modelFiles/model.ts";
import type { LoadOptions } from "./modelFiles/names.ts";
import { readModel } from "./modelFiles/read.ts";
import { uses } from "./nn/use.ts";
import { checkOptions } from "./options/schema.ts";
import { webCodec, webFiles } from "./platform/web.ts";
import { networkUpscaler } from "./tasks/upscale/networkUpscaler.ts";
import { upscaleOptions } from "./tasks/upscale/upscale.ts";
import type { Upscaler } from "./tasks/upscale/upscaler.ts";

export * from "./core.ts";
export { createRuntime, type WebRuntimeName, type WebRuntimeOptions } from "./engine/runtime/web.ts";
export { fromImageData, toImageData } from "./platform/web.ts";

/**
 * Decodes a picture by its URL, or the bytes of its file, as the browser does; `fromImageData` takes what a canvas
 * holds.
 * @throws UserError for what it cannot show
 */
export const readPicture = webCodec.read;

/**
 * Loads a model of a URL: .safetensors as Imago writes them, or .onnx.
 * @throws UserError for a URL that cannot be fetched, or a file that holds no model
 */
export const loadModel = async (url: string, options: LoadOptions = {}): Promise<LoadedModel> =>
  readModel(await webFiles.read(url), url, options);

const webUpscaleOptions = upscaleOptions.pick({ tile: true });

/**
 * Opens a network for enlarging pictures, one after the other. The runtime stays its giver's to dispose.
 * @throws UserError for a model that enlarges nothing, or options that do not fit
 */
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
