/** What both doors share: everything that runs anywhere, in Node as in a page. */

export { z } from "zod";
export { byteTokens, captioned } from "./data/captioned.ts";
export { bicubicReduction, type Degradation } from "./data/degradation.ts";
export { type Examples, exampleSource } from "./data/exampleSource.ts";
export { examples } from "./data/examples.ts";
export type { Batch, Data, DataRequest, DataTools, InMemory } from "./data/kind.ts";
export { pairs } from "./data/pairs.ts";
export { patches } from "./data/patches.ts";
export { openShapes, type ShapeOptions } from "./data/sets/shapes.ts";
export { unpaired } from "./data/unpaired.ts";
export * as engine from "./engine/index.ts";
export { option, UserError, userError, withOptions } from "./errors.ts";
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
export * as networks from "./models/index.ts";
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
export { type Use, type UseName, type UseOf, uses } from "./nn/use.ts";
export type { AnimationWriting, Codec, PictureFormat, Platform, RuntimeChoice } from "./platform/platform.ts";
export * from "./recipes/index.ts";
export { profileText } from "./report/profile.ts";
export { shownText } from "./report/provenance.ts";
export { type BenchRow, bench, openWorkload } from "./tasks/bench/bench.ts";
export { profileWorkload } from "./tasks/bench/profile.ts";
export type { Workload } from "./tasks/bench/workload.ts";
export { workloads } from "./tasks/bench/workloads.ts";
export type { Device, Followed, PictureSource, Running } from "./tasks/bind.ts";
export type { Judged, JudgeOptions, Judgment } from "./tasks/common/judging.ts";
export {
  defineTask,
  type Gives,
  type Inputs,
  type NamedPicture,
  type Progress,
  type Takes,
  type Task,
  type TaskTools,
} from "./tasks/common/task.ts";
export type { Evaluated, EvaluateOptions, EvaluateTick } from "./tasks/evaluate/evaluate.ts";
export type { GenerateOptions, GenerateTick, Made } from "./tasks/generate/generate.ts";
export { type TaskName, tasks } from "./tasks/index.ts";
export type { Reconstruction, ReconstructOptions } from "./tasks/reconstruct/reconstruct.ts";
export type { Shown } from "./tasks/show/show.ts";
export { type Learner, type LearnOptions, type LearnTools, openLearner } from "./tasks/train/inMemory.ts";
export type { TrainOptions } from "./tasks/train/options.ts";
export type { ResumeOptions, TrainTick } from "./tasks/train/train.ts";
export type { TranslateOptions, TranslateTick } from "./tasks/translate/translate.ts";
export type { CompareOptions, CompareTick, Comparison } from "./tasks/upscale/compare.ts";
export type { Evaluation, MeanScore, PictureScore } from "./tasks/upscale/judge.ts";
export type { UpscaleOptions } from "./tasks/upscale/upscale.ts";
export type { Upscaler } from "./tasks/upscale/upscaler.ts";
export { type Random, random } from "./tensor/random.ts";
export { readSafetensors, writeSafetensors } from "./tensor/safetensors.ts";
export * from "./tensor/tensor.ts";
export type { Tick } from "./train/fit.ts";
export type { StepProfile } from "./train/profile.ts";
