import { UserError, userError } from "../../errors.ts";
import { type DType, sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { Node } from "../graph/node.ts";
import { inScope } from "../graph/scope.ts";
import { type FileModel, type FileNode, isStandard, readModel } from "../onnx/read.ts";
import { constant, constantOp, input, parameter } from "../ops/leaf.ts";
import { activations } from "./activations.ts";
import { arithmetic } from "./arithmetic.ts";
import { convolutions, transposedReach } from "./convolutions.ts";
import type { TransposedReach } from "./importedNode.ts";
import { type ImportContext, ImportedNode, isConstant, numbersOf, type Rule, WORK } from "./importedNode.ts";
import { norms } from "./norms.ts";
import { pictures } from "./pictures.ts";
import { pools } from "./pools.ts";
import { constantOf, shapes } from "./shapes.ts";

/** Something that an imported network is fed; null for a side that is free. */
export interface ImportedInput {
  readonly name: string;
  readonly shape: readonly (number | null)[];
  readonly dtype: DType;
}

/** An ONNX file as a network of the engine. */
export interface Imported {
  readonly inputs: readonly ImportedInput[];
  /** Names of what `build` returns. */
  readonly outputs: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * First values of its parameters, keyed "network/name" by the names in the file. Statistics of batch norms are among
   * them.
   */
  readonly weights: Readonly<Record<string, Tensor>>;
  /**
   * The network as a graph over these inputs. All calls share one set of parameters. Heights and widths may differ from
   * those in the file where its operators allow it.
   * @param names values of the file to return instead of its outputs: features of an inner layer, say
   */
  build(inputs: readonly Node[], names?: readonly string[]): Node[];
}

const RULES = new Map<string, Rule>(
  [arithmetic, activations, shapes, convolutions, pools, norms, pictures].flatMap((table) => Object.entries(table)),
);

/** The operators that are covered. */
export const importedOperators: readonly string[] = [...RULES.keys()].sort();

const LARGEST = 2 ** 31; // elements of one value

/** The nodes that some values need, in the order of the file. */
function needed({ nodes }: FileModel, names: readonly string[]): FileNode[] {
  const wanted = new Set(names);
  const kept = nodes.toReversed().filter((node) => {
    const isWanted = node.outputs.some((name) => name !== "" && wanted.has(name));
    if (isWanted) for (const name of node.inputs) wanted.add(name);
    return isWanted;
  });
  return kept.reverse();
}

function checkOperators(nodes: readonly FileNode[], where: string): void {
  for (const { op, domain, name } of nodes)
    if (!isStandard(domain) || !RULES.has(op))
      throw userError(
        `${where} › ${name}`,
        `expected a standard operator that Imago covers, got the operator ${isStandard(domain) ? op : `${domain}.${op}`}`,
      );
}

/** Leaves for the stored tensors: floats of one axis and more are parameters, everything else is a constant. */
function leavesOf({ constants, nodes }: FileModel, network: string): Map<string, Node> {
  const fixed = new Set(nodes.flatMap(({ op, inputs }) => (op === "BatchNormalization" ? inputs.slice(3, 5) : [])));
  return new Map(
    [...constants].map(([name, tensor]) => {
      const { shape, dtype } = tensor;
      if (dtype !== "float32" || shape.length === 0 || sizeOf(shape) === 0) return [name, constantOf(tensor)];
      const initializer = { kind: "constant", value: 0 } as const;
      return [name, parameter([], { name, network, shape, initializer, trainable: !fixed.has(name) })];
    }),
  );
}

/** Whole numbers stay whole numbers: what is made of constants is worked out at once, in the type of its operands. */
function folded(made: Node, operands: readonly (Node | undefined)[], around: ImportContext): Node {
  const given = operands.filter((operand) => operand !== undefined);
  if (made.op === constantOp.row || given.length === 0 || !given.every(isConstant)) return made;
  const numbers = numbersOf(made, around);
  if (!numbers) return made;
  const values = given.filter(({ dtype }) => dtype !== "bool");
  const isOfWholes = values.length > 0 && values.every(({ dtype }) => dtype === "int64");
  const isWhole = made.dtype === "int64" || (made.dtype === "float32" && isOfWholes);
  return constant(isWhole ? numbers.map(Math.trunc) : numbers, made.shape, isWhole ? "int64" : made.dtype);
}

function checkSize(made: Node, site: ImportedNode): void {
  if (!made.shape.every((side) => Number.isInteger(side) && side >= 0) || sizeOf(made.shape) >= LARGEST)
    throw site.fail(`expected fewer than 2³¹ elements, got [${made.shape.slice(0, 16).join(", ")}]`);
}

/** Puts the file's name before an error of the engine's own ops. */
function placed(error: unknown, { where }: ImportContext, { name }: FileNode): unknown {
  if (error instanceof UserError)
    return error.message.startsWith(`${where} › `) ? error : new UserError(`${where} › ${error.message}`);
  if (error instanceof RangeError)
    return userError(`${where} › ${name}`, `expected values that fit each other, got others (${error.message})`);
  return error;
}

/** The values that a node of the file is made of; undefined for an optional one that is left out. */
const operandsOf = (node: FileNode, values: ReadonlyMap<string, Node>, { where }: ImportContext) =>
  node.inputs.map((name) => {
    if (name !== "" && !values.has(name))
      throw userError(`${where} › ${node.name}`, `expected the value ${name} before it is used, got none`);
    return name === "" ? undefined : values.get(name)!;
  });

function buildNode(node: FileNode, values: Map<string, Node>, around: ImportContext): void {
  const operands = operandsOf(node, values, around);
  const site = new ImportedNode(node, operands, around);
  try {
    const made = inScope(node.name, () => RULES.get(node.op)!(site));
    const list: readonly Node[] = "op" in made ? [made] : made;
    list.forEach((one, index) => {
      checkSize(one, site);
      const name = node.outputs[index];
      if (name) values.set(name, folded(one, operands, around));
    });
  } catch (error) {
    throw placed(error, around, node);
  }
}

/** The fed inputs of a file: its graph inputs that are no stored tensors. */
function inputsOf({ inputs, constants }: FileModel, where: string): ImportedInput[] {
  const fed = inputs.filter(({ name }) => !constants.has(name));
  const found = fed.map(({ name, dtype, shape }) => {
    if (!dtype || !shape)
      throw userError(
        `${where} › input ${name}`,
        "expected a tensor of numbers with a shape, got another kind of input",
      );
    return { name, shape, dtype };
  });
  if (!found.some(({ dtype }) => dtype === "float32"))
    throw userError(where, "expected a network with an input for pictures (floats), got none");
  return found;
}

/** Inputs at the size that the file tells. */
const examplesOf = (inputs: readonly ImportedInput[]): Node[] =>
  inputs.map(({ name, shape, dtype }) =>
    input(
      name,
      shape.map((side) => side ?? 1),
      { dtype },
    ),
  );

/** A file that has been read, with its leaves. */
interface Source {
  readonly model: FileModel;
  readonly inputs: readonly ImportedInput[];
  readonly leaves: ReadonlyMap<string, Node>;
  readonly context: Pick<ImportContext, "where" | "opset" | "values">;
}

/** The values that some names need, over the given inputs, and the context that they were built in. */
function buildValues(
  { model, inputs, leaves, context }: Source,
  given: readonly Node[],
  names: readonly string[],
  reaches: ImportContext["reaches"],
) {
  const around: ImportContext = { ...context, reaches, work: { left: WORK } };
  const values = new Map(leaves);
  inputs.forEach(({ name }, index) => void values.set(name, given[index]!));
  for (const node of needed(model, names)) buildNode(node, values, around);
  return { values, around };
}

/**
 * The reaches of the transposed convolutions whose output is written for one size of the input: found at that size,
 * which the file tells, they hold at every other. None where it does not tell.
 */
function reachesOf(source: Source, names: readonly string[]): ReadonlyMap<string, TransposedReach> {
  const { model, inputs } = source;
  const sized = needed(model, names).filter(
    ({ op, attributes }) => op === "ConvTranspose" && attributes.has("output_shape"),
  );
  const isTold = inputs.every(({ shape }) => shape.slice(1).every((side) => side !== null));
  if (sized.length === 0 || !isTold) return new Map();
  const { values, around } = buildValues(source, examplesOf(inputs), names, new Map());
  return new Map(
    sized.map((node) => [
      node.outputs[0] ?? "",
      transposedReach(new ImportedNode(node, operandsOf(node, values, around), around)),
    ]),
  );
}

const show = (shape: readonly (number | null)[]): string => `[${shape.map((side) => side ?? "any").join(", ")}]`;

/** Rank, type and channels must be those of the file; other sides may differ. */
function checkInputs(given: readonly Node[], asked: readonly ImportedInput[], where: string): void {
  if (given.length !== asked.length)
    throw userError(where, `expected ${asked.length} inputs (${asked.map(({ name }) => name)}), got ${given.length}`);
  asked.forEach(({ name, shape, dtype }, index) => {
    const node = given[index]!;
    const fits = node.shape.length === shape.length && (shape[1] ?? node.shape[1]) === node.shape[1];
    if (!fits || node.dtype !== dtype)
      throw userError(
        `${where} › input ${name}`,
        `expected ${dtype} ${show(shape)}, got ${node.dtype} ${show(node.shape)}`,
      );
  });
}

/**
 * Reads an ONNX file (any opset) as a network that runs on every runtime, can be differentiated and trained further.
 * @param where the name of the file, for errors
 * @param network the key of its weights
 * @throws UserError for a file that is damaged, or that holds what is not covered
 */
export function importOnnx(bytes: Uint8Array, where: string, network = "imported"): Imported {
  const model = readModel(bytes, where);
  const inputs = inputsOf(model, where);
  const outputs = model.outputs.map(({ name }) => name);
  if (outputs.length === 0) throw userError(where, "expected a network with an output, got none");
  checkOperators(needed(model, outputs), where);
  const leaves = leavesOf(model, network);
  const stored = [...leaves].filter(([, leaf]) => leaf.op === parameter.row);
  const values = new Map(stored.map(([name, leaf]) => [leaf, model.constants.get(name)!]));
  const source: Source = { model, inputs, leaves, context: { where, opset: model.opset, values } };
  let reaches: ReadonlyMap<string, TransposedReach> | undefined;
  return {
    inputs,
    outputs,
    metadata: model.metadata,
    weights: Object.fromEntries(stored.map(([name]) => [`${network}/${name}`, model.constants.get(name)!])),
    build(given, names = outputs) {
      checkInputs(given, inputs, where);
      reaches ??= reachesOf(source, outputs);
      const made = buildValues(source, given, names, reaches).values;
      return names.map((name) => {
        const value = made.get(name);
        if (!value) throw userError(`${where} › output ${name}`, "expected a node that makes it, got none");
        return value;
      });
    },
  };
}
