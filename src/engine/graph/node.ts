import { userError } from "../../errors.ts";
import type { DType, Shape } from "../../tensor/tensor.ts";
import type { Emit } from "./emit.ts";
import { scopeFor, scopeNames } from "./scope.ts";

/** A row-major array of float64 numbers (int64 and bool values are numbers here too): what the reference works on. */
export interface NDArray {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** One value of a graph: the op that makes it, what it is made from, and what is known of it before anything runs. */
export interface Node<A = unknown> {
  readonly op: Op<A>;
  readonly inputs: readonly Node[];
  readonly attributes: A;
  readonly shape: Shape;
  readonly dtype: DType;
  /**
   * Path of the layer that made it, "rcan › group.3 › conv2d", or on whose output it works, "rcan › group.3 › relu";
   * gradients end in " ′", what moves weights in " ←".
   */
  readonly scope: string;
}

/** An input of an example: a shape filled with seeded numbers, or the numbers themselves. */
export interface ExampleInput {
  readonly shape: Shape;
  /** Values come from this range (default −2…2), kept away from `avoid` so that kinks are not straddled. */
  readonly range?: readonly [number, number];
  readonly avoid?: readonly number[];
  readonly values?: readonly number[];
  readonly dtype?: DType;
}

export interface Example<A> {
  readonly inputs: readonly (Shape | ExampleInput)[];
  readonly attributes: A;
}

/** The gradients of a value by some nodes, given that of its elements. */
export type Differentiate = (of: Node, wrt: readonly Node[], upstream: Node) => Node[];

/**
 * What an output pixel sees of an input along one axis: output pixel i is made from the input's pixels stride · i −
 * before … stride · i + after, all in input pixels, fractions rounded inward (stride < 1 where the op enlarges). "all":
 * any pixel of the axis, or the axis is gone; "none": its numbers are not read.
 */
export type Receptive =
  | {
      /** The axis of the output along which i counts. */
      readonly axis: number;
      readonly stride: number;
      readonly before: number;
      readonly after: number;
    }
  | "all"
  | "none";

/** An op is a row: everything that the engine, the oracle and the tests know about it. */
export interface Op<A = unknown> {
  readonly name: string;
  /** Shape of the output; throws by `misfit` when the inputs do not fit. */
  shape(inputs: readonly Node[], attributes: A): Shape;
  /** Element type of the output; float32 when absent. */
  dtype?(inputs: readonly Node[], attributes: A): DType;
  /**
   * Gradients of a scalar with respect to the inputs, given that of the output; made of ops. Absent: no gradient flows.
   * `differentiate` is for rows whose gradient is that of a form of theirs in other ops.
   */
  gradient?(dy: Node, node: Node<A>, differentiate: Differentiate): readonly (Node | undefined)[];
  /** Writes the ONNX nodes of this op and returns the name of the output. */
  onnx(emit: Emit, inputs: readonly string[], node: Node<A>): string;
  /** The same in float64, written for clearness. */
  reference(inputs: readonly NDArray[], node: Node<A>): Float64Array;
  /**
   * The receptive field along an axis (from the front) of input number `input`; what lies beyond the borders counts as
   * more pixels, also where a border mirrors the picture. Absent: "all", which is never wrong, but the network works on
   * whole pictures then.
   */
  receptive?(node: Node<A>, input: number, axis: number): Receptive;
  readonly examples: readonly Example<A>[];
}

const show = (shape: Shape): string => `[${shape.join(", ")}]`;

/**
 * The error of a shape that does not fit: layer path, op, what is wrong, and the shapes that came. A layer of its op's
 * name is named once.
 */
export const misfit = (op: string, inputs: readonly Node[], what: string): Error =>
  userError(
    (scopeNames().at(-1)?.endsWith(op) ? scopeNames() : [...scopeNames(), op]).join(" › "),
    `${what} (${inputs.map((input) => show(input.shape)).join(", ")})`,
  );

/** A function that makes nodes of one op; its row hangs on it for the tests. */
export type OpFunction<A> = ((inputs: readonly Node[], attributes: A) => Node<A>) & { readonly row: Op<A> };

/** Turns a row into the function that makes its nodes. */
export function defineOp<A = Record<never, never>>(row: Op<A>): OpFunction<A> {
  const make = (inputs: readonly Node[], attributes: A): Node<A> => ({
    op: row,
    inputs,
    attributes,
    shape: row.shape(inputs, attributes),
    dtype: row.dtype?.(inputs, attributes) ?? "float32",
    scope: scopeFor(row.name, inputs),
  });
  return Object.assign(make, { row });
}

/**
 * All nodes that the roots are made from, each once, inputs before users. Works on deep graphs without recursion.
 * @param given nodes that are not gone into, and left out
 */
export function topological(roots: readonly Node[], given: Iterable<Node> = []): Node[] {
  const done = new Set<Node>(given);
  const order: Node[] = [];
  const stack: { node: Node; next: number }[] = [];
  for (const root of roots) {
    if (!done.has(root)) stack.push({ node: root, next: 0 });
    done.add(root);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const input = top.node.inputs[top.next++];
      if (input === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (!done.has(input)) {
        done.add(input);
        stack.push({ node: input, next: 0 });
      }
    }
  }
  return order;
}
