import { add, constant, mul, type Node, sub } from "../engine/index.ts";
import { IMAGENET, type RangeName } from "../tensor/range.ts";

/** −1…1, what a tanh gives, to 0…1. */
export const toUnit = (x: Node): Node => add(mul(x, 0.5), 0.5);
/** 0…1 to −1…1. */
export const fromUnit = (x: Node): Node => sub(mul(x, 2), 1);

/** One number a plane, [1, 3, 1, 1]. */
const planes = (values: readonly number[]): Node => constant(values, [1, 3, 1, 1]);
const { mean, deviation } = IMAGENET;

/** Pictures [N, C, H, W] into a range, and back to 0…1. */
interface RangeNodes {
  /** From 0…1. */
  of(x: Node): Node;
  /** To 0…1. */
  back(x: Node): Node;
}

/** The ranges of `tensor/range.ts` as nodes; "imagenet" is for three planes alone. */
export const ranges: Readonly<Record<RangeName, RangeNodes>> = {
  unit: { of: (x) => x, back: (x) => x },
  symmetric: { of: fromUnit, back: toUnit },
  bytes: { of: (x) => mul(x, 255), back: (x) => mul(x, 1 / 255) },
  imagenet: {
    of: (x) => add(mul(x, planes(deviation.map((d) => 1 / d))), planes(mean.map((m, c) => -m / deviation[c]!))),
    back: (x) => add(mul(x, planes(deviation)), planes(mean)),
  },
};
