/**
 * Imago's public API: everything, for Node. Tasks are bound to Node's platform in node.ts; what else is exported is plain
 * TypeScript that runs anywhere.
 */

export { z } from "zod";
export * as engine from "./engine/index.ts";
export { UserError } from "./errors.ts";
export * from "./image/channels.ts";
export * from "./image/color.ts";
export { pictureGrid } from "./image/grid.ts";
export * from "./image/picture.ts";
export { type ResizeOptions, resize, scaledSize } from "./image/resize.ts";
export { comparisonSheet, detailedCrops, type SheetColumn, type SheetOptions } from "./image/sheet.ts";
export { syntheticPhotograph } from "./image/synthetic.ts";
export { mapTiles } from "./image/tiles.ts";
export { fid } from "./metrics/fid.ts";
export { type Kid, kid } from "./metrics/kid.ts";
export { precisionRecall } from "./metrics/precisionRecall.ts";
export { type Score, type ScoreOptions, score } from "./metrics/protocol.ts";
export { psnr } from "./metrics/psnr.ts";
export { ssim } from "./metrics/ssim.ts";
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
export { autoencoder } from "./recipes/autoencoder.ts";
export { classifier } from "./recipes/classifier.ts";
export { dcgan } from "./recipes/dcgan.ts";
export { cgan, gan } from "./recipes/gan.ts";
export { defineRecipe, type RecipeDefinition, recipes } from "./recipes/index.ts";
export { srcnn } from "./recipes/srcnn.ts";
export { vae } from "./recipes/vae.ts";
export { type BenchRow, bench, openWorkload } from "./tasks/bench.ts";
export type { CompareOptions, Comparison } from "./tasks/compare.ts";
export type { EvaluateOptions, Evaluation, MeanScore, PictureScore } from "./tasks/evaluate.ts";
export type { GenerateOptions, Made } from "./tasks/generate.ts";
export type { JudgeOptions, Judgment } from "./tasks/judgeParts.ts";
export { type Learner, type LearnOptions, type LearnTools, openLearner } from "./tasks/learn.ts";
export type { Card, LoadedModel } from "./tasks/modelFile.ts";
export { packModel } from "./tasks/modelFile.ts";
export type { LoadOptions } from "./tasks/modelName.ts";
export type { AnimationWriting, Codec, PictureFormat, Platform, RuntimeChoice } from "./tasks/platform.ts";
export { profileWorkload } from "./tasks/profile.ts";
export { profileText } from "./tasks/profileReport.ts";
export type { Reconstruction, ReconstructOptions } from "./tasks/reconstruct.ts";
export type { ResumeOptions, TrainOptions, TrainTick } from "./tasks/train.ts";
export type { UpscaleOptions, Upscaler } from "./tasks/upscale.ts";
export type { Workload } from "./tasks/workload.ts";
export { workloads } from "./tasks/workloads.ts";
export { type Random, random } from "./tensor/random.ts";
export { readSafetensors, writeSafetensors } from "./tensor/safetensors.ts";
export * from "./tensor/tensor.ts";
export { type Examples, exampleSource } from "./train/data/examples.ts";
export { openShapes, type ShapeOptions } from "./train/data/shapes.ts";
export type { Tick } from "./train/fit.ts";
export type { StepProfile } from "./train/profile.ts";
