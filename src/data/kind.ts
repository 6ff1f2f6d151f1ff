import { z } from "zod";
import type { Node } from "../engine/index.ts";
import type { Files } from "../platform/files.ts";
import type { Examples, PartFormat } from "./exampleSource.ts";
import type { PictureReader } from "./patchSource.ts";
import type { DataSource } from "./source.ts";

/** The leaves of a batch, by name; one that the data may lack is undefined then. */
export type Batch = Readonly<Record<string, Node | undefined>>;

/** What a run learns from. */
export interface DataRequest {
  /** Folders, files, patterns or names of sets. */
  readonly data: readonly string[];
  /** Seed of the order, of cuts and of augmentation. */
  readonly seed: number;
  /** Options of the run that concern this kind, by the names of `Data.options`. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Who opens files and pictures. */
export interface DataTools {
  readonly files: Files;
  readonly codec: PictureReader;
}

/** A set in memory that batches are drawn from, for kinds that can do with one. */
export interface InMemory {
  /** The form of the pictures that the set is asked for. */
  readonly format: Omit<PartFormat, "part">;
  /** Batches of a set. @param where names it in errors @throws UserError where the set lacks what the kind needs */
  source(examples: Examples, seed: number, where: string): DataSource;
}

/**
 * A kind of batch, as a recipe wants it: its leaves, where it comes from, and the options of a run that concern it. A
 * recipe calls a kind (`patches({ … })`); whoever runs the recipe asks this value and knows no kind by name.
 */
export interface Data<B extends Batch = Batch> {
  /** Pictures or patches per step. */
  readonly batch: number;
  /** Options of a run that this kind alone has; all have defaults or may be left out. */
  readonly options: z.ZodObject;
  /** The leaves of `batch` pictures: those of a step, or of a part of it. */
  inputs(batch: number): B;
  /** Opens what is learned from. @throws UserError for what cannot be used */
  open(request: DataRequest, tools: DataTools): Promise<DataSource>;
  readonly inMemory?: InMemory;
}

/** The option of kinds that decode pictures as they go. */
export const memoryOption = {
  memory: z.int().min(64).max(65_536).default(1024).describe("memory for decoded pictures, in MiB"),
};

/** The option of kinds that read data sets of small pictures. */
export const cellOption = {
  cell: z.int().min(4).max(1024).optional().describe("side of a picture on a sprite sheet, in pixels"),
};
