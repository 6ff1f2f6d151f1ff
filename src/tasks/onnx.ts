import type { Node, Tensors } from "../engine/index.ts";
import { userError } from "../errors.ts";
import type { LoadedModel } from "./modelFile.ts";

/** A network that came from a file: one picture in, one out. */
export interface ForeignNetwork {
  /** Planes that it takes. */
  readonly channels: number;
  build(x: Node): Node;
  /** Keyed "network/parameter". */
  readonly weights: Tensors;
}

// The seam of ONNX: import and export are the engine's and are put in here.

/** Reads an ONNX file as a network. @param where the file's name, for errors */
export function readOnnx(_bytes: Uint8Array, where: string): ForeignNetwork {
  throw userError(where, "expected a .safetensors file, got ONNX, which this version cannot read yet");
}

/** Writes a network as an ONNX file that takes pictures of any size. */
export function writeOnnx(_model: LoadedModel): Uint8Array {
  throw userError("export", "expected a name ending in .safetensors; this version cannot write ONNX yet");
}
