import { userError } from "../errors.ts";
import { metadataOf, recordText } from "./metadata.ts";
import type { LoadedModel } from "./model.ts";
import { writeOnnx } from "./onnx.ts";
import { type PackOptions, packModel } from "./own.ts";

/**
 * A model as the bytes of a file: .onnx for other programs, .safetensors for this one.
 * @throws UserError for another ending
 */
export function exportModel(model: LoadedModel, path: string, { half, provenance }: PackOptions = {}): Uint8Array {
  if (/\.safetensors$/i.test(path)) return packModel(model, { half, provenance });
  const { build, weights, example, name } = model;
  const metadata = { ...metadataOf(model), ...recordText(provenance) };
  if (/\.onnx$/i.test(path)) return writeOnnx(build, weights, { example, metadata, name, half });
  throw userError(path, "expected a name ending in .onnx or .safetensors, got another");
}
