import type { Shape } from "../../tensor/tensor.ts";
import { misfit, type Node } from "../graph/node.ts";

/**
 * The axis counted from the front; a negative one counts from the back.
 * @throws UserError for an axis that is not there
 */
export function resolveAxis(op: string, x: Node, axis: number): number {
  const rank = x.shape.length;
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) throw misfit(op, [x], `there is no axis ${axis}`);
  return axis < 0 ? axis + rank : axis;
}

/** Axes counted from the front, ascending, each once; all axes when none are named. */
export function resolveAxes(op: string, x: Node, axes?: readonly number[]): number[] {
  if (!axes) return [...x.shape.keys()];
  return [...new Set(axes.map((axis) => resolveAxis(op, x, axis)))].sort((a, b) => a - b);
}

export const isSameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((side, axis) => side === b[axis]);
