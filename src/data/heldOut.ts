import { userError } from "../errors.ts";
import type { Part } from "./exampleSource.ts";
import type { SquareFormat } from "./square.ts";

/** Which of the pictures found are meant, and the form they are brought to. */
export interface ShareFormat extends SquareFormat {
  readonly part: Part | "all";
}

/**
 * The numbers of a part where a set has no test part of its own: the last tenth of every class, rounded down, is held
 * out for testing, the others are for training.
 * @throws UserError where no class has enough pictures to hold some out
 */
export function partOf(labels: ArrayLike<number>, part: ShareFormat["part"], where: string): readonly number[] {
  if (part === "all") return Array.from(labels, (_, i) => i);
  const left = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) left.set(labels[i]!, (left.get(labels[i]!) ?? 0) + 1);
  const held = new Map([...left].map(([label, count]) => [label, Math.floor(count / 10)]));
  const chosen: number[] = [];
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    const isHeld = left.get(label)! <= held.get(label)!;
    left.set(label, left.get(label)! - 1);
    if (isHeld === (part === "test")) chosen.push(i);
  }
  if (chosen.length === 0 && labels.length > 0)
    throw userError(
      where,
      `expected 10 pictures of a class or more, to hold the last tenth out for testing, got ${labels.length} in all`,
      "Give more pictures, or a folder with the sub-folders train and test.",
    );
  return chosen;
}
