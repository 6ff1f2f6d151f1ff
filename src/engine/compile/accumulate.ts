import { userError } from "../../errors.ts";
import { substitute } from "../gradients/gradient.ts";
import type { InputAttributes } from "../graph/leaf.ts";
import type { Node } from "../graph/node.ts";
import { after } from "../ops/after.ts";
import { add, mul } from "../ops/elementwise.ts";
import { inputOp } from "../ops/leaf.ts";
import { slice } from "../ops/shape.ts";
import { inputsOf, keyOf, type Parameter } from "./parameters.ts";
import type { RunningAverage } from "./plan.ts";

/** The fed inputs of a step that works through its batch in parts: each holds the rows of all parts, one after the other. */
export class MicroBatches {
  readonly count: number;
  readonly #wholes = new Map<Node, Node>();

  constructor(count: number, roots: readonly Node[]) {
    this.count = count;
    for (const leaf of inputsOf(roots)) {
      const { shape, attributes } = leaf;
      if (count === 1 || shape.length === 0) continue; // a number for all
      const whole: InputAttributes = { ...attributes, shape: [shape[0]! * count, ...shape.slice(1)] };
      this.#wholes.set(leaf, inputOp([], whole));
    }
  }

  /** Values over one part of the batch, which is begun when `before` is there. */
  part(values: readonly Node[], index: number, before?: Node): Node[] {
    const rows = [...this.#wholes].map(([leaf, whole]) => {
      const [size, ...rest] = leaf.shape as readonly [number, ...number[]];
      const piece = slice(whole, [index * size, ...rest.map(() => 0)], [(index + 1) * size, ...rest]);
      return [leaf, before ? after(piece, before) : piece] as const;
    });
    return rows.length > 0 ? substitute(values, new Map(rows)) : [...values];
  }

  /** The mean over the parts of values, of which some may have been added up. */
  mean(values: readonly Node[]): Node {
    const total = values.reduce((sum, value) => add(sum, value));
    return this.count === 1 ? total : mul(total, 1 / this.count);
  }

  /** A pass that is normalized by its batch is another one over a part of it. */
  check(averages: readonly RunningAverage[]): void {
    const wrong = this.count > 1 && averages.find(({ normalizes }) => normalizes);
    if (wrong)
      throw userError(
        "accumulate",
        `expected networks without batch norm, got ${keyOf(wrong.parameter as Parameter)}, a statistic of the whole batch`,
        "Leave it out, or take another norm.",
      );
  }
}
