import { userError } from "../../errors.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import type { InputAttributes } from "../graph/leaf.ts";
import type { NDArray, Node } from "../graph/node.ts";
import { evaluate } from "./evaluate.ts";
import type { Executable, Program, Runtime, Shared, Tensors } from "./runtime.ts";

const toArray = ({ shape, data }: Tensor): NDArray => ({
  shape,
  data: Float64Array.from(data as Float32Array, Number),
});

const toTensor = ({ shape, data }: NDArray, { dtype }: Node): Tensor => {
  if (dtype === "float32") return tensor(Float32Array.from(data), shape);
  return dtype === "bool"
    ? { dtype, shape, data: Uint8Array.from(data) }
    : { dtype, shape, data: BigInt64Array.from(Array.from(data, BigInt)) };
};

/** What an input is fed. */
function fedTo({ attributes, shape }: Node, feeds: Tensors): NDArray {
  const { name } = attributes as InputAttributes;
  const fed = feeds[name];
  if (!fed) throw userError(`input ${name}`, "expected a tensor, got none");
  if (fed.shape.join() !== shape.join())
    throw userError(`input ${name}`, `expected the shape [${shape.join(", ")}], got [${fed.shape.join(", ")}]`);
  return toArray(fed);
}

/** Values by name. */
type Values = Map<string, NDArray>;

function load(program: Program, initial: Tensors, shared: ReadonlyMap<number, Values>): Executable {
  const { inputs, outputs, bindings = new Map(), state = [], shared: reads } = program;
  const held = new Map<string, NDArray>(Object.entries(initial).map(([name, value]) => [name, toArray(value)]));
  const fixed = [...bindings].map(([node, value]) => [node, toArray(value)] as const);
  const bind = (feeds: Tensors): Map<Node, NDArray> => {
    const values = new Map<Node, NDArray>(fixed);
    for (const slot of state) values.set(slot.current, held.get(slot.name)!);
    for (const [name, leaf] of Object.entries(reads?.leaves ?? {})) {
      const value = shared.get(reads!.values.id)?.get(name);
      if (!value) throw new Error(`the shared value ${name} was disposed`);
      values.set(leaf, value);
    }
    for (const input of inputs) values.set(input, fedTo(input, feeds));
    return values;
  };
  return {
    async run(feeds, fetch = Object.keys(outputs)) {
      const moving = state.filter((slot) => slot.next);
      const made = evaluate([...fetch.map((name) => outputs[name]!), ...moving.map((slot) => slot.next!)], bind(feeds));
      for (const [index, slot] of moving.entries()) held.set(slot.name, made[fetch.length + index]!);
      return Object.fromEntries(fetch.map((name, index) => [name, toTensor(made[index]!, outputs[name]!)]));
    },
    async read(names) {
      const asked = state.filter(({ name }) => names?.includes(name) ?? true);
      return Object.fromEntries(asked.map(({ name, current }) => [name, toTensor(held.get(name)!, current)]));
    },
    async write(values) {
      for (const [name, value] of Object.entries(values)) held.set(name, toArray(value));
    },
    dispose: async () => held.clear(),
  };
}

function share(id: number, values: Tensors, shared: Map<number, Values>): Shared {
  const held: Values = new Map();
  shared.set(id, held);
  const write = async (given: Tensors): Promise<void> => {
    for (const [name, value] of Object.entries(given)) held.set(name, toArray(value));
  };
  void write(values);
  return { id, write, dispose: async () => void shared.delete(id) };
}

/**
 * Pure TypeScript in float64, slow and exact: the oracle of the other runtimes.
 * @throws UserError, when run, for an input that is not fed, and for a foreign file
 */
export function referenceRuntime(): Runtime {
  const shared = new Map<number, Values>();
  let count = 0;
  return {
    name: "reference",
    threads: 1,
    load: async (program, state = {}) => load(program, state, shared),
    open: async () => {
      throw userError("runtime", "expected one that runs ONNX files as they are, got reference", "Use cpu.");
    },
    share: async (values) => share(count++, values, shared),
    dispose: async () => shared.clear(),
  };
}
