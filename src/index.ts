/**
 * Imago's public API: everything, for Node. Tasks are bound to Node's platform in node.ts; what else is exported is plain
 * TypeScript that runs anywhere.
 */

export { z } from "zod";
export { type Examples, exampleSource } from "./data/examples.ts";
export { openShapes, type ShapeOptions } from "./data/sets/shapes.ts";
export * as engine from "./engine/index.ts";
export { UserError } from "./errors.ts";
export * from "./image/channels.ts";
export * from "./image/color.ts";
export { pictureGrid } from "./image/draw/grid.ts";
export { comparisonSheet, detailedCrops, type SheetColumn, type SheetOptions } from "./image/draw/sheet.ts";
export { syntheticPhotograph } from "./image/draw/synthetic.ts";
export * from "./image/picture.ts";
export type { ModelReference, Provenance } from "./image/provenance.ts";
export { type ResizeOptions, resize, scaledSize } from "./image/resize.ts";
export { mapTiles } from "./image/tiles.ts";
export { fid } from "./metrics/fid.ts";
export { type Kid, kid } from "./metrics/kid.ts";
export { precisionRecall } from "./metrics/precisionRecall.ts";
export { type Score, type ScoreOptions, score } from "./metrics/protocol.ts";
export { psnr } from "./metrics/psnr.ts";
export { ssim } from "./metrics/ssim.ts";
export type { Card, LoadedModel } from "./modelFiles/model.ts";
export type { LoadOptions } from "./modelFiles/names.ts";
export { packModel } from "./modelFiles/own.ts";
export { models } from "./models/index.ts";
export * as initializers from "./nn/initializers.ts";
export * as layers from "./nn/layers.ts";
export * as losses from "./nn/losses.ts";
export {
  defineModel,
  initialWeights,
  type ModelDefinition,
  type Network,
  network,
  type Parameters,
  parameterCount,
} from "./nn/model.ts";
export * as norms from "./nn/norms.ts";
export * as optimizers from "./nn/optimizers.ts";
export * as schedules from "./nn/schedules.ts";
export type { Usage } from "./nn/usage.ts";
export * from "./node.ts";
export type { AnimationWriting, Codec, PictureFormat, Platform, RuntimeChoice } from "./platform/platform.ts";
export { autoencoder } from "./recipes/autoencoder.ts";
export { classifier } from "./recipes/classifier.ts";
export { dcgan } from "./recipes/dcgan.ts";
export { cgan, gan } from "./recipes/gan.ts";
export { defineRecipe, type RecipeDefinition, recipes } from "./recipes/index.ts";
export { srcnn } from "./recipes/srcnn.ts";
export { vae } from "./recipes/vae.ts";
export { profileText } from "./report/profile.ts";
export { type BenchRow, bench, openWorkload } from "./tasks/bench/bench.ts";
export { profileWorkload } from "./tasks/bench/profile.ts";
export type { Workload } from "./tasks/bench/workload.ts";
export { workloads } from "./tasks/bench/workloads.ts";
export type { JudgeOptions, Judgment } from "./tasks/common/judging.ts";
export type { GenerateOptions, Made } from "./tasks/generate/generate.ts";
export type { Reconstruction, ReconstructOptions } from "./tasks/reconstruct/reconstruct.ts";
export { type Learner, type LearnOptions, type LearnTools, openLearner } from "./tasks/train/inMemory.ts";
export type { ResumeOptions, TrainOptions, TrainTick } from "./tasks/train/train.ts";
export type { CompareOptions, Comparison } from "./tasks/upscale/compare.ts";
export type { EvaluateOptions, Evaluation, MeanScore, PictureScore } from "./tasks/upscale/judge.ts";
export type { UpscaleOptions, Upscaler } from "./tasks/upscale/upscale.ts";
export { type Random, random } from "./tensor/random.ts";
export { readSafetensors, writeSafetensors } from "./tensor/safetensors.ts";
export * from "./tensor/tensor.ts";
export type { Tick } from "./train/fit.ts";
export type { StepProfile } from "./train/profile.ts";
