import type { Op } from "../graph/node.ts";
import { clipOp, eluOp, erfOp, gateOp, leakyReluOp, preluOp, reluOp, sigmoidOp, siluOp, softplusOp, tanhOp } from "./activation.ts"; // biome-ignore format: one line a room
import { afterOp, blockOp } from "./after.ts";
import { attentionOp } from "./attention.ts";
import { convolutionInputOp, convolutionOp, convolutionWeightOp } from "./convolution.ts";
import * as e from "./elementwise.ts";
import { gatherOp, scatterSumOp } from "./gather.ts";
import { constantOp, inputOp } from "./leaf.ts";
import { matmulOp } from "./matmul.ts";
import { padGradientOp, padOp } from "./pad.ts";
import { depthToSpaceOp, spaceToDepthOp } from "./pixelShuffle.ts";
import { averagePoolGradientOp, averagePoolOp, maxPoolOp } from "./pool.ts";
import { logSoftmaxOp, maxOp, meanOp, softmaxOp, sumOp } from "./reduce.ts";
import { resizeGradientOp, resizeOp } from "./resize.ts";
import { concatOp, expandOp, flipOp, reshapeOp, sliceOp, transposeOp } from "./shape.ts";

export * from "./activation.ts";
export * from "./after.ts";
export * from "./attention.ts";
export * from "./convolution.ts";
export * from "./elementwise.ts";
export * from "./gather.ts";
export * from "./leaf.ts";
export * from "./matmul.ts";
export * from "./pad.ts";
export * from "./pixelShuffle.ts";
export * from "./pool.ts";
export * from "./reduce.ts";
export * from "./resize.ts";
export * from "./shape.ts";

/** Every row there is. A new op is a row and a line here; a test sees that none is forgotten. */
export const ops: readonly Op[] = [
  ...[inputOp, constantOp],
  ...[e.addOp, e.subOp, e.mulOp, e.divOp, e.maximumOp, e.minimumOp, e.powOp],
  ...[e.greaterOp, e.lessOp, e.greaterEqualOp, e.equalOp, e.whereOp, e.toFloatOp],
  ...[e.negOp, e.expOp, e.logOp, e.sqrtOp, e.squareOp, e.absOp, e.signOp, e.sinOp, e.cosOp, e.stopGradientOp],
  ...[afterOp, blockOp],
  ...[sumOp, meanOp, maxOp, softmaxOp, logSoftmaxOp],
  ...[reshapeOp, transposeOp, concatOp, sliceOp, expandOp, flipOp],
  ...[padOp, padGradientOp, gatherOp, scatterSumOp, depthToSpaceOp, spaceToDepthOp],
  ...[reluOp, leakyReluOp, preluOp, eluOp, gateOp, sigmoidOp, tanhOp, siluOp, softplusOp, erfOp, clipOp],
  ...[matmulOp, attentionOp, convolutionOp, convolutionInputOp, convolutionWeightOp],
  ...[averagePoolOp, averagePoolGradientOp, maxPoolOp, resizeOp, resizeGradientOp],
].map(({ row }) => row as Op);
