import { userError } from "../errors.ts";
import { type UseName, type UseOf, useIn, uses } from "../nn/use.ts";
import type { Platform } from "../platform/platform.ts";
import { assertFinite, readMetadata, readSafetensors } from "../tensor/safetensors.ts";
import { adopt, adopted } from "./foreign.ts";
import { format, parseJson } from "./metadata.ts";
import { isFor, type LoadedModel } from "./model.ts";
import { findModel, type LoadOptions } from "./names.ts";
import { fromOnnx } from "./onnx.ts";
import { fromOwn } from "./own.ts";

/**
 * Loads a model: a shipped one by name ("srcnn-x2", or "srcnn" and a scale), a .safetensors or .onnx file, or the
 * folder of a training run.
 * @throws UserError for a name that leads nowhere, a file that holds no model, or another scale
 */
export async function loadModel(name: string, platform: Platform, options: LoadOptions = {}): Promise<LoadedModel> {
  const path = await findModel(name, platform, options);
  const model = readModel(await platform.files.read(path), path, options);
  checkScale(model, name, options);
  return model;
}

/**
 * Reads a model from a file's bytes. @param path names it, and tells an .onnx file by its ending
 * @throws UserError for bytes that hold no model
 */
export const readModel = (bytes: Uint8Array, path: string, options: LoadOptions = {}): LoadedModel =>
  path.toLowerCase().endsWith(".onnx") ? fromOnnx(bytes, path, options) : fromSafetensors(bytes, path, options);

/**
 * The same for a model of one task.
 * @throws UserError for a name that leads nowhere, or a model of another use
 */
export async function loadModelFor<T extends UseName>(
  task: T,
  name: string,
  platform: Platform,
  options: LoadOptions = {},
): Promise<LoadedModel<UseOf<T>>> {
  const model = await loadModel(name, platform, options);
  if (isFor(model, task)) return model;
  throw userError(name, `expected a model that ${uses[task].does}, got one that ${uses[model.usage.task].does}`);
}

function checkScale({ usage, name: own }: LoadedModel, name: string, { scale }: LoadOptions): void {
  if (scale === undefined || usage.task !== "upscale" || scale === usage.scale) return;
  throw userError(
    name,
    `expected the scale ${usage.scale} that ${own} was trained for, got ${scale}`,
    "Choose another model or leave the scale out.",
  );
}

/** Reads a model from a .safetensors file's bytes. */
function fromSafetensors(bytes: Uint8Array, path: string, options: LoadOptions): LoadedModel {
  const file = readSafetensors(bytes, path);
  assertFinite(file.tensors, path, "The training went wrong; use an earlier checkpoint.");
  if (file.metadata.format?.startsWith("imago checkpoint"))
    throw userError(
      path,
      "expected a model, got a run's checkpoint",
      "Use the run's folder or its weights.safetensors.",
    );
  return file.metadata.format === format.format ? fromOwn(file, path) : adopt(file.tensors, path, options);
}

/** What a model is there for, by the head of its file, or by its tensors where another program wrote it. */
export async function taskOf(name: string, platform: Platform): Promise<UseName> {
  if (/\.onnx$/i.test(name)) return "upscale";
  const path = await findModel(name, platform, {});
  const bytes = await platform.files.read(path);
  const own = useIn(parseJson(readMetadata(bytes, path).usage));
  return (own ?? adopted(readSafetensors(bytes, path).tensors)?.usage)?.task ?? "upscale";
}
