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
