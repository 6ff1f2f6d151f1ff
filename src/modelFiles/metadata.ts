import { type Provenance, parseProvenance, provenanceJson } from "../image/provenance.ts";
import type { Network } from "../nn/model.ts";
import type { Use } from "../nn/use.ts";
import type { Card, LoadedModel } from "./model.ts";

/** The text that holds the record of what made the file. */
const PROVENANCE = "provenance";
const reserved = ["format", "version", "model", "options", "usage", PROVENANCE];
export const format = { format: "imago", version: "1" } as const;

/** A JSON text of a file's head; undefined when it is none. */
export const parseJson = (text: string | undefined): unknown => {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
};

/** The facts about a model's training in the head of its file. */
export const cardOf = (metadata: Card): Card =>
  Object.fromEntries(Object.entries(metadata).filter(([key]) => !reserved.includes(key)));

/** The text of a file's head that says what made it; none without a record. */
export const recordText = (made: Provenance | undefined): Card => (made ? { [PROVENANCE]: provenanceJson(made) } : {});

/**
 * A file's head parted: the record of what made it, and all other texts.
 * @throws UserError for a record that is damaged or of a later version; `where` names the file
 */
export function partHead(
  { [PROVENANCE]: text, ...card }: Card,
  where: string,
): { readonly made?: Provenance; readonly card: Card } {
  return { card, ...(text !== undefined && { made: parseProvenance(text, where) }) };
}

/** The head of a model's file: what it is, what it does, and how it came to be. */
export const modelMetadata = (made: Network, usage: Use, card: Card = {}): Record<string, string> => ({
  ...card,
  ...format,
  model: made.model.name,
  options: JSON.stringify(made.options),
  usage: JSON.stringify(usage),
});

/** What a model's file says besides the numbers. */
export const metadataOf = ({ network: made, usage, card }: LoadedModel): Record<string, string> =>
  made ? modelMetadata(made, usage, card) : { ...card, ...format, usage: JSON.stringify(usage) };
