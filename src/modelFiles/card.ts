import type { Platform } from "../platform/platform.ts";
import { readHead, readMetadata } from "../tensor/safetensors.ts";
import type { Card } from "./model.ts";
import { listModels } from "./names.ts";

/** What the shipped models' files say about themselves, without reading their numbers; by name. */
export async function shippedCards(platform: Platform): Promise<readonly Card[]> {
  const { files, models: folder } = platform;
  const cardOf = async (name: string): Promise<Card> => {
    const path = `${folder}/${name}.safetensors`;
    return { name, ...readMetadata(await readHead((begin, end) => files.readRange(path, begin, end)), path) };
  };
  return Promise.all((await listModels(platform)).map(cardOf));
}

const OBJECT = 0x7b; // "{", after the eight bytes of a length that four bytes can hold
const IR_VERSION = 0x08; // the first field of a ModelProto

/**
 * The texts in the head of a model's file, .safetensors or .onnx, told by its first bytes; undefined for other files.
 * @throws UserError for a damaged file; `where` names it
 */
export async function headOf(bytes: Uint8Array, where: string): Promise<Card | undefined> {
  const isSafetensors = bytes[8] === OBJECT && bytes.subarray(4, 8).every((byte) => byte === 0);
  if (isSafetensors) return readMetadata(bytes, where);
  if (bytes[0] !== IR_VERSION) return undefined;
  const { onnxMetadata } = await import("../engine/index.ts"); // which no other file needs
  return onnxMetadata(bytes, where);
}
