/** What a kernel mostly does. */
export type Kind = "arithmetic" | "element-wise" | "data movement" | "reduction";

const names = (text: string): ReadonlySet<string> => new Set(text.split(" "));

/** ONNX Runtime's operators, its own and those that it fuses others into, by what they mostly do. */
const kinds: readonly (readonly [Kind, ReadonlySet<string>])[] = [
  ["arithmetic", names("Conv FusedConv ConvTranspose Gemm FusedGemm MatMul FusedMatMul MultiHeadAttention")],
  ["reduction", names("ReduceSum ReduceMean ReduceMax Softmax LogSoftmax AveragePool MaxPool")],
  [
    "data movement",
    names(
      "Concat DepthToSpace Expand Gather Identity Pad ReorderInput ReorderOutput Reshape Resize Slice SpaceToDepth Split Squeeze Transpose Unsqueeze",
    ),
  ],
];

/** What an operator mostly does; those that are not listed treat every element alone. */
export const kindOf = (operator: string): Kind =>
  kinds.find(([, operators]) => operators.has(operator))?.[0] ?? "element-wise";
