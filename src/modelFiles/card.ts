import type { Platform } from "../platform/platform.ts";
import { readHead, readMetadata } from "../tensor/safetensors.ts";
import type { Card } from "./model.ts";
import { findModel } from "./names.ts";

/**
 * What a model's file says about itself, without reading its numbers.
 * @throws UserError for a name that leads nowhere
 */
export async function modelCard(name: string, platform: Platform): Promise<Card> {
  const path = await findModel(name, platform, {});
  return readMetadata(await readHead((begin, end) => platform.files.readRange(path, begin, end)), path);
}
