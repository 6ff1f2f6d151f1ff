import {
  clip,
  compileFunction,
  concat,
  type Executable,
  input,
  type Node,
  type Runtime,
  resize,
  type Tensors,
} from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import { shortName } from "../../modelFiles/names.ts";
import { readOnnx } from "../../modelFiles/onnx.ts";
import { loadModelFor } from "../../modelFiles/read.ts";
import { ranges } from "../../nn/range.ts";
import type { Platform } from "../../platform/platform.ts";
import { toPictures, toTensor } from "../../tensor/pictures.ts";
import { assertFinite } from "../../tensor/safetensors.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { inBatches } from "../common/batches.ts";
import type { FeatureOptions } from "../common/judging.ts";
import { type Embedder, rowsOf } from "./classifier.ts";

/** A network from pictures [N, C, side, side] in 0…1 to features. */
interface FeatureNetwork {
  readonly build: (x: Node) => Node;
  readonly weights: Tensors;
  readonly channels: number;
  readonly side: number;
  readonly batch: number;
  readonly name: string;
}

const SIDE = 299;
const AT_ONCE = 16; // pictures of 299 pixels

async function loadInception(path: string, { featureSize, featureRange }: FeatureOptions, platform: Platform) {
  const { build, weights, usage, network } = await loadModelFor("embed", path, platform);
  if (featureSize !== undefined || featureRange !== undefined)
    throw userError(path, "expected no size or range of features, which these weights fix, got one");
  const name = `${network!.model.name} (${String(network!.options.pooling)} pooling) ${shortName(path)}`;
  return { build, weights, channels: usage.channels, side: usage.size, batch: AT_ONCE, name };
}

async function loadGraph(path: string, { featureSize, featureRange = "unit" }: FeatureOptions, platform: Platform) {
  const { build, weights, example, batch } = readOnnx(await platform.files.read(path), path, featureSize ?? SIDE);
  assertFinite(weights, path);
  const [, channels, side, width] = example as readonly [number, number, number, number];
  if (side !== width || (featureSize !== undefined && side !== featureSize))
    throw userError(
      path,
      `expected a network for pictures of ${featureSize ?? side}×${featureSize ?? side}, got one for ${side}×${width}`,
    );
  if (channels !== 3 && featureRange === "imagenet")
    throw userError(path, "expected a network for RGB with ImageNet's range, got one for gray pictures");
  const ranged = (x: Node): Node => build(ranges[featureRange].of(x));
  return {
    build: ranged,
    weights,
    channels,
    side,
    batch: batch ?? AT_ONCE,
    name: `${shortName(path)} (range ${featureRange})`,
  };
}

/** Pictures [N, C, S, S] at a network's size and planes, in 0…1. */
function prepared(x: Node, { side, channels }: FeatureNetwork, method: FeatureOptions["resize"]): Node {
  const how = method === "clean" ? ({ mode: "cubic", antialias: true } as const) : ({ mode: "linear" } as const);
  const y = x.shape[2] === side ? x : clip(resize(x, { height: side, width: side }, how), 0, 1);
  return channels === 3 && x.shape[1] === 1 ? concat([y, y, y], 1) : y;
}

/** As picture files hold them. */
const rounded = (image: Tensor): Tensor => toTensor(toPictures(image));

/**
 * A network of standard features on pictures of a size, which are rounded to 8 bits first. "clean" is the resampling of
 * Parmar et al., "On Aliased Resizing and Surprising Subtleties in GAN Evaluation", https://arxiv.org/abs/2104.11222;
 * "legacy" is pytorch-fid's. (TensorFlow's own graph samples half a pixel off; that is not repeated here.)
 * @throws UserError for a file, options or pictures that do not fit each other
 */
export async function openFeatures(
  path: string,
  options: FeatureOptions,
  {
    size,
    channels,
    platform,
    runtime,
  }: Readonly<{ size: number; channels: number; platform: Platform; runtime: Runtime }>,
): Promise<Embedder> {
  const found = await (/\.onnx$/i.test(path) ? loadGraph : loadInception)(path, options, platform);
  if (found.channels === 1 && channels === 3)
    throw userError(path, "expected a feature network for RGB pictures, got one for gray ones");
  const leaf = input("input", [found.batch, channels, size, size]);
  const output = found.build(prepared(leaf, found, options.resize));
  const [rows, width, ...rest] = output.shape;
  if (rows !== found.batch || width === undefined || sizeOf(rest) !== 1)
    throw userError(path, `expected features [N, D] or [N, D, 1, 1], got [${output.shape.join(", ")}]`);
  const run: Executable = await compileFunction({ output }, { runtime, weights: found.weights });
  const resizing =
    size === found.side ? `at ${size} pixels` : `${options.resize} resize from ${size} to ${found.side} pixels`;
  return {
    label: `the ${width} features of ${found.name}, ${resizing}`,
    isQuick: false,
    features: async (image) => rowsOf(await inBatches(run, rounded(image), found.batch)),
  };
}
