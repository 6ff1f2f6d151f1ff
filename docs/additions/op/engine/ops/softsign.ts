import { defineOp, type Node } from "../graph/node.ts";
import { elementwise } from "../graph/receptiveField.ts";
import { abs, add, div, square } from "./elementwise.ts";

/** x / (1 + |x|), between −1 and 1. */
export const softsignOp = defineOp({
  name: "softsign",
  shape: ([x]) => x!.shape,
  gradient: (dy, { inputs: [x] }) => [div(dy, square(add(1, abs(x!))))],
  onnx: (emit, [x]) => emit.node("Softsign", [x!]),
  reference: ([x]) => x!.data.map((value) => value / (1 + Math.abs(value))),
  receptive: elementwise,
  examples: [{ inputs: [{ shape: [3, 4], avoid: [0] }], attributes: {} }],
});
export const softsign = (x: Node): Node => softsignOp([x], {});
