import { userError } from "../../errors.ts";
import { floats, sizeOf, type Tensor, tensor } from "../../tensor/tensor.ts";
import type { InputAttributes, ParameterAttributes } from "../graph/leaf.ts";
import { type Node, topological } from "../graph/node.ts";
import { inputOp, parameter } from "../ops/leaf.ts";
import { concat, reshape, slice } from "../ops/shape.ts";

export type Parameter = Node<ParameterAttributes>;

const isParameter = (node: Node): node is Parameter => node.op === parameter.row;

export const keyOf = ({ attributes: { network, name } }: Parameter): string => `${network}/${name}`;

/** The parameters that nodes depend on, by network and name, in a fixed order. */
export const parametersOf = (roots: readonly Node[]): Parameter[] =>
  topological(roots)
    .filter(isParameter)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));

/**
 * The trainable parameters of one network as they lie in its vectors: what a forward pass uses last comes first, since
 * its gradient is finished first, and is computed in this order.
 */
export const trainableOf = (roots: readonly Node[], network: string): Parameter[] =>
  topological(roots)
    .filter(isParameter)
    .filter(({ attributes }) => attributes.network === network && attributes.trainable)
    .reverse();

/** A value of a parameter. @throws when it has another shape */
export function checkedShape(leaf: Parameter, value: Tensor): Tensor {
  if (value.shape.join() !== leaf.shape.join())
    throw userError(keyOf(leaf), `expected the shape [${leaf.shape.join(", ")}], got [${value.shape.join(", ")}]`);
  return value;
}

/** The fed inputs that nodes depend on. */
export const inputsOf = (roots: readonly Node[]): Node<InputAttributes>[] =>
  topological(roots).filter((node): node is Node<InputAttributes> => node.op === inputOp.row);

/** Numbers from which on a vector takes no further parameter. */
const ENOUGH = 2 ** 18;

/** Parameters of one network in one vector. */
export class Flat {
  readonly parameters: readonly Parameter[];
  readonly size: number;

  constructor(parameters: readonly Parameter[]) {
    this.parameters = parameters;
    this.size = parameters.reduce((total, { shape }) => total + sizeOf(shape), 0);
  }

  /** What tells it from others: the key of its first parameter. */
  get key(): string {
    return keyOf(this.parameters[0]!);
  }

  /**
   * Parameters in vectors of about a megabyte, one after the other: element-wise passes over one stay in the
   * processor's cache, and memory of that size is used again where the system would hand out new pages for a larger
   * one.
   */
  static of(parameters: readonly Parameter[]): Flat[] {
    const groups: Parameter[][] = [];
    let room = 0;
    for (const parameter of parameters) {
      const size = sizeOf(parameter.shape);
      if (groups.length === 0 || size > room) {
        groups.push([]);
        room = ENOUGH;
      }
      groups.at(-1)!.push(parameter);
      room -= size;
    }
    return groups.map((group) => new Flat(group));
  }

  /** The parameters as pieces of a vector node. */
  pieces(vector: Node): [Parameter, Node][] {
    let offset = 0;
    return this.parameters.map((leaf) => {
      const start = offset;
      offset += sizeOf(leaf.shape);
      return [leaf, reshape(slice(vector, [start], [offset]), leaf.shape)];
    });
  }

  join(nodes: readonly Node[]): Node {
    const flat = nodes.map((node) => reshape(node, [-1]));
    return flat.length === 1 ? flat[0]! : concat(flat, 0);
  }

  pack(find: (key: string) => Tensor): Tensor {
    const all = new Float32Array(this.size);
    let offset = 0;
    for (const leaf of this.parameters) {
      all.set(floats(checkedShape(leaf, find(keyOf(leaf)))), offset);
      offset += sizeOf(leaf.shape);
    }
    return tensor(all, [this.size]);
  }

  unpack(vector: Tensor): [string, Tensor][] {
    let offset = 0;
    return this.parameters.map((leaf) => {
      const start = offset;
      offset += sizeOf(leaf.shape);
      return [keyOf(leaf), tensor(floats(vector).slice(start, offset), leaf.shape)];
    });
  }
}
