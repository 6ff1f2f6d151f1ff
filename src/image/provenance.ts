import { z } from "zod";
import { userError } from "../errors.ts";

/**
 * A model that took part: its short name, and the SHA-256 of its weights' file, which tells it from others of that
 * name.
 */
const modelSchema = z.object({ name: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** What made a file. It names no folder and no user: paths are reduced to the last name in them. */
export const provenanceSchema = z.object({
  software: z.literal("imago"),
  version: z.string(),
  /** The task: "upscale", "generate". */
  task: z.string(),
  /** The task's options, by their names in the library; the seed, where there is one, is among them. */
  options: z.record(z.string(), z.json()),
  /** Every model that took part, in the order of the options that name them. */
  models: z.array(modelSchema).default([]),
  /**
   * What was learned from, for what a training shows on its way: how many pictures, and SHA-256 over their names and
   * contents.
   */
  data: z.object({ count: z.int().min(0), sha256: z.string() }).optional(),
  /** For what a training shows on its way: the step that it was made after. */
  step: z.int().min(0).optional(),
});

/** What made a file; see `provenanceSchema`. */
export type Provenance = Readonly<z.output<typeof provenanceSchema>>;
/** A model's short name and the SHA-256 of its weights' file. */
export type ModelReference = Provenance["models"][number];

/**
 * The record as files carry it: JSON in one line, without characters beyond ASCII, which no reader takes for another's.
 */
export const provenanceJson = (made: Provenance): string =>
  JSON.stringify(made).replace(/[\u007f-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);

/**
 * Reads a record's JSON.
 * @throws UserError where it is none; `where` names the file
 */
export function parseProvenance(text: string, where: string): Provenance {
  const read = provenanceSchema.safeParse(jsonOf(text));
  if (read.success) return read.data;
  throw userError(where, "expected a record of what made it, got one that is damaged or of a later version");
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** "imago 0.1.0": what fields for a program's name hold. */
export const softwareOf = ({ software, version }: Provenance): string => `${software} ${version}`;
