import { userError } from "../errors.ts";
import { metadataOf } from "./metadata.ts";
import type { LoadedModel } from "./model.ts";
import { writeOnnx } from "./onnx.ts";
import { packModel } from "./own.ts";

/**
 * A model as the bytes of a file: .onnx for other programs, .safetensors for this one. @param half weights as float16
 * @throws UserError for another ending
 */
export function exportModel(model: LoadedModel, path: string, half = false): Uint8Array {
  if (/\.safetensors$/i.test(path)) return packModel(model, half);
  const { build, weights, example, name } = model;
  if (/\.onnx$/i.test(path)) return writeOnnx(build, weights, { example, metadata: metadataOf(model), name, half });
  throw userError(path, "expected a name ending in .onnx or .safetensors, got another");
}
