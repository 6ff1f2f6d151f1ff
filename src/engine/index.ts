/** The whole vocabulary of the engine; what stands outside this folder imports nothing deeper. */
export { type Exported, type ExportOptions, exportOnnx, type FreeSide } from "./compile/export.ts";
export * from "./compile/function.ts";
export { type Profile, type ProfileRow, profileOf } from "./compile/layerTimes.ts";
export { type Carry, compileLoop, type Loop, type LoopOptions } from "./compile/loop.ts";
export { inputsOf, keyOf, parametersOf } from "./compile/parameters.ts";
export * from "./compile/plan.ts";
export * from "./compile/predictor.ts";
export * from "./compile/step.ts";
export { gradient, substitute } from "./gradients/gradient.ts";
export { valueAndGradient, valueAndGradients } from "./gradients/valueAndGradient.ts";
export type * from "./graph/leaf.ts";
export { defineOp, misfit, type Node, type Op, type Receptive, topological } from "./graph/node.ts";
export { print } from "./graph/print.ts";
export { elementwise, type ReceptiveField, receptiveField } from "./graph/receptiveField.ts";
export { inLayer, inNetwork, inScope, type Phase } from "./graph/scope.ts";
export { type Imported, type ImportedInput, importedOperators, importOnnx } from "./import/importOnnx.ts";
export { onnxMetadata } from "./onnx/read.ts";
export * from "./ops/index.ts";
export { evaluate } from "./runtime/evaluate.ts";
export { referenceRuntime } from "./runtime/reference.ts";
export type {
  Executable,
  FileSource,
  ForeignEnd,
  ForeignExecutable,
  LoadOptions,
  Program,
  RunTime,
  Runtime,
  RuntimeName,
  Shared,
  SharedReads,
  StateSlot,
  Tensors,
} from "./runtime/runtime.ts";
