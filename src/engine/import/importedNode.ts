import { userError } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { NDArray, Node } from "../graph/node.ts";
import type { FileAttribute, FileNode } from "../onnx/read.ts";
import { constantOp, inputOp } from "../ops/leaf.ts";
import { evaluate } from "../runtime/evaluate.ts";

/** Where a transposed convolution's output begins and ends: pads, and rows and columns added at the end. */
export interface TransposedReach {
  readonly pads: readonly [number, number, number, number];
  readonly extra: readonly [number, number];
}

/** How an operator of a file becomes nodes of the engine; several when it has several outputs. */
export type Rule = (site: ImportedNode) => Node | readonly Node[];

/** What an import knows beside the node at hand. */
export interface ImportContext {
  /** The file's name, for errors. */
  readonly where: string;
  readonly opset: number;
  /** Values of the parameters, for operators that ask for numbers. */
  readonly values: ReadonlyMap<Node, Tensor>;
  /**
   * How far transposed convolutions whose size is written in the file reach, by output; found at the file's own input
   * size.
   */
  readonly reaches: ReadonlyMap<string, TransposedReach>;
  /** How many numbers may still be worked out while the network is built. */
  readonly work: { left: number };
}

export const FOLDED = 2 ** 20; // the most numbers of a value that is worked out while a network is built
export const WORK = 2 ** 23; // and of all of them
const WALK = 500; // the most nodes that one such value is made of

/** Ops of which an element costs more than a few steps: shapes are not made of these. */
const HEAVY = /^(convolution|matmul|averagePool|maxPool|resize|scatterSum|padGradient)/;

export const isConstant = (node: Node): boolean => node.op === constantOp.row;

const elementsOf = ({ shape }: Node): number => shape.reduce((a, b) => a * b, 1);

const toArray = ({ shape, data }: Tensor): NDArray => ({
  shape,
  data: Float64Array.from(data as Float32Array, Number),
});

/**
 * The nodes that a value is made of, or undefined when an input is among them or they are too many to evaluate here.
 */
function originsOf(node: Node): Set<Node> | undefined {
  const found = new Set<Node>([node]);
  for (const one of found) {
    if (one.op === inputOp.row || HEAVY.test(one.op.name) || elementsOf(one) > FOLDED) return undefined;
    for (const from of one.inputs) found.add(from);
    if (found.size > WALK) return undefined;
  }
  return found;
}

/** The numbers of a node that no input reaches, or undefined: an input does, or it is too much to work out here. */
export function numbersOf(node: Node, { values, work }: ImportContext): Float64Array | undefined {
  const origins = originsOf(node);
  if (!origins) return undefined;
  work.left -= [...origins].reduce((total, one) => total + elementsOf(one), 0);
  if (work.left < 0) return undefined;
  const leaves = [...origins].flatMap((leaf) => {
    const value = values.get(leaf);
    return value ? [[leaf, toArray(value)] as const] : [];
  });
  return evaluate([node], new Map(leaves))[0]!.data;
}

const isList = (value: FileAttribute): value is readonly number[] =>
  Array.isArray(value) && value.every((item) => typeof item === "number");

/**
 * One node of a file with what goes into it: rules ask it for operands and attributes, and get errors that name the
 * place.
 */
export class ImportedNode {
  readonly file: FileNode;
  readonly around: ImportContext;
  readonly #operands: readonly (Node | undefined)[];

  constructor(file: FileNode, operands: readonly (Node | undefined)[], around: ImportContext) {
    this.file = file;
    this.around = around;
    this.#operands = operands;
  }

  get opset(): number {
    return this.around.opset;
  }

  /** How many operands there are, left-out ones at the end not counted. */
  get count(): number {
    return this.#operands.length;
  }

  /** The error of this node: what was expected and what the file has. */
  fail(what: string, cure?: string): Error {
    return userError(`${this.around.where} › ${this.file.name}`, `${what} (${this.file.op})`, cure);
  }

  /** Operand `index` of any type. */
  any(index: number): Node {
    const operand = this.#operands[index];
    if (!operand) throw this.fail(`expected an input ${index}, got none`);
    return operand;
  }

  /** Operand `index`, of floats unless it is a constant. */
  x(index: number): Node {
    const operand = this.any(index);
    if (operand.dtype !== "float32" && !isConstant(operand))
      throw this.fail(`expected floats as input ${index}, got ${operand.dtype} that depends on the network's input`);
    return operand;
  }

  maybe(index: number): Node | undefined {
    return this.#operands[index] && this.x(index);
  }

  /** All operands, of floats unless constant. */
  all(): Node[] {
    return this.#operands.map((_, index) => this.x(index));
  }

  /** The numbers of operand `index`, undefined when it is left out. They must not depend on the network's input. */
  numbers(index: number): readonly number[] | undefined {
    const operand = this.#operands[index];
    if (!operand) return undefined;
    const found = numbersOf(operand, this.around);
    if (!found) throw this.fail(`expected numbers known beforehand as input ${index}, got a computed value`);
    return Array.from(found);
  }

  /** What the attribute says in old opsets and operand `index` in newer ones. */
  list(name: string, index: number): readonly number[] | undefined {
    return this.#operands[index] ? this.numbers(index) : this.ints(name);
  }

  #attribute<T extends FileAttribute>(name: string, kind: string, fits: (value: FileAttribute) => value is T) {
    const value = this.file.attributes.get(name);
    if (value === undefined) return undefined;
    if (!fits(value)) throw this.fail(`${name}: expected ${kind}, got another kind of attribute`);
    return value;
  }

  number(name: string, fallback: number): number {
    return this.#attribute(name, "a number", (value) => typeof value === "number") ?? fallback;
  }

  ints(name: string): readonly number[] | undefined {
    return this.#attribute(name, "a list of numbers", isList);
  }

  text(name: string, fallback: string): string {
    return this.#attribute(name, "a text", (value) => typeof value === "string") ?? fallback;
  }

  tensor(name: string): Tensor | undefined {
    return this.#attribute(
      name,
      "a tensor",
      (value): value is Tensor => typeof value === "object" && value !== null && "dtype" in value,
    );
  }

  has(name: string): boolean {
    return this.file.attributes.has(name);
  }

  /** The axis counted from the front. */
  axis(value: number, rank: number): number {
    const axis = value < 0 ? value + rank : value;
    if (!Number.isInteger(axis) || axis < 0 || axis >= rank)
      throw this.fail(`expected an axis of ${rank}, got ${value}`);
    return axis;
  }
}
