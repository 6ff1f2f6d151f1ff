import type { ConstantAttributes, InputAttributes, ParameterAttributes } from "./leaf.ts";
import { type Node, topological } from "./node.ts";

/** A constant of one number stands where it is used; the others get a line. */
const isNumber = (node: Node): node is Node<ConstantAttributes> =>
  node.op.name === "constant" && (node.attributes as ConstantAttributes).data.length === 1;

function leafText(node: Node): string | undefined {
  if (node.op.name === "input") return `input "${(node.attributes as InputAttributes).name}"`;
  if (node.op.name === "constant") return "constant";
  if (node.op.name !== "parameter") return undefined;
  const { network, name } = node.attributes as ParameterAttributes;
  return `parameter "${network}/${name}"`;
}

/**
 * A readable listing of a graph, for people and snapshot tests: one line per node, inputs before users, as
 * `%3 = conv2d(%1, %2) [1, 64, 32, 32] layer path`. Element types are named where they are not float32.
 */
export function print(...roots: readonly Node[]): string {
  const names = new Map<Node, string>();
  let count = 0;
  const lines = topological(roots).flatMap((node) => {
    if (isNumber(node) && !roots.includes(node)) {
      names.set(node, `${node.attributes.data[0]}`);
      return [];
    }
    const name = `%${count++}`;
    names.set(node, name);
    const made = leafText(node) ?? `${node.op.name}(${node.inputs.map((input) => names.get(input)).join(", ")})`;
    const dtype = node.dtype === "float32" ? "" : `${node.dtype} `;
    return `${name} = ${made} ${dtype}[${node.shape.join(", ")}] ${node.scope.trim()}`.trimEnd();
  });
  return lines.join("\n");
}
