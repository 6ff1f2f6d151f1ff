import type { Tensors } from "../engine/index.ts";
import { UserError } from "../errors.ts";

/** What a training run saw, for its card: equal sums mean equal data. */
export interface DataDescription {
  /** Pictures or examples. */
  readonly count: number;
  /** Bytes of the files. */
  readonly bytes: number;
  /** SHA-256 over the names and contents of the files. */
  readonly sha256: string;
  /** Pictures held at a time, where not all fit into the memory granted; other numbers give other batches. */
  readonly pool?: number;
}

/** A file of the training set that could not be used. */
export interface Skipped {
  readonly path: string;
  /** The whole sentence, with the path. */
  readonly reason: string;
}

/** Where batches come from. A batch depends on seed and step alone, so that resuming needs no saved position. */
export interface DataSource {
  readonly description: DataDescription;
  /** Names of the classes in the order of their labels, where the data has some. */
  readonly classes?: readonly string[];
  /** Grows as files turn out unusable. */
  readonly skipped: readonly Skipped[];
  /** The batch of a step; steps count from 1. */
  batch(step: number): Promise<Tensors>;
}

/** What a step gives; undefined, and the file on the list, when the file turns out unusable. */
export async function orSkip<T>(path: string, skipped: Skipped[], step: () => Promise<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    skipped.push({ path, reason: error.message });
    return undefined;
  }
}

/** SHA-256 of bytes, hexadecimal. */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The sum of a set of files: of the lines "sum  name", as sha256sum prints them, in the order given. */
export const sumOfSums = (files: readonly { readonly name: string; readonly sha256: string }[]): Promise<string> =>
  sha256Of(new TextEncoder().encode(files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join("")));
