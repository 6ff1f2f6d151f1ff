import { option, userError } from "../errors.ts";
import type { Examples, ExampleTools } from "./exampleSource.ts";
import { openExamples } from "./openSet.ts";
import type { SquareFormat } from "./square.ts";

/** The form of a part's pictures, and how many classes it must have; 0 when it does not matter. */
interface PartWanted extends SquareFormat {
  readonly classes: number;
}

/** Where a set lies, one source alone, and the side of a sheet's cells in pixels. */
interface PartRequest {
  readonly data: readonly string[];
  readonly cell?: number;
}

/**
 * The learning or the held-out part of a data set, at the size that a recipe asks for.
 * @throws UserError for two sets, for other classes than asked for, and for a set that cannot be read
 */
export async function openPart(
  part: "train" | "test",
  { size, channels, classes }: PartWanted,
  { data, cell }: PartRequest,
  { files, codec }: ExampleTools,
): Promise<Examples> {
  const [source, other] = data as readonly [string, string?];
  if (other !== undefined) throw userError(option("data"), `expected one data set, got ${source} and ${other}`);
  const examples = await openExamples(
    source,
    { size, channels, part, ...(cell !== undefined && { cell }) },
    { files, codec },
  );
  checkClasses(examples, classes, source);
  return examples;
}

/** Throws unless a set has the classes that a recipe asks for; 0 when it does not matter. @param where names the set */
export function checkClasses({ classes: found }: Examples, classes: number, where: string): void {
  if (classes === 0 || found.length === classes) return;
  throw userError(where, `expected pictures of ${classes} classes, got ${found.length}`, `Set ${option("classes")}.`);
}
