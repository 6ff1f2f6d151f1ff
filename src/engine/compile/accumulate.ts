import { substitute } from "../gradients/gradient.ts";
import type { InputAttributes } from "../graph/leaf.ts";
import type { Node } from "../graph/node.ts";
import { after } from "../ops/after.ts";
import { add, mul } from "../ops/elementwise.ts";
import { inputOp } from "../ops/leaf.ts";
import { slice } from "../ops/shape.ts";
import { inputsOf } from "./parameters.ts";

/**
 * The fed inputs of a step that works through its batch in parts: each holds the rows of all parts, one after the
 * other.
 */
export class MicroBatches {
  readonly count: number;
  readonly #wholes = new Map<Node, Node>();

  constructor(count: number, leaves: readonly Node<InputAttributes>[]) {
    this.count = count;
    for (const leaf of leaves) {
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

  /** Whether the parts give values of their own. */
  isOfBatch(value: Node): boolean {
    return inputsOf([value]).some((leaf) => this.#wholes.has(leaf));
  }
}
