import { z } from "zod";
import {
  add,
  clip,
  compileFunction,
  concat,
  constant,
  type Executable,
  input,
  mul,
  type Node,
  type Runtime,
  resize,
  type Tensors,
} from "../engine/index.ts";
import { userError } from "../errors.ts";
import type { Features } from "../metrics/features.ts";
import type { ClassifyUsage } from "../nn/usage.ts";
import { assertFinite } from "../tensor/safetensors.ts";
import { floats, sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import { inBatches } from "./autoencoder.ts";
import { type LoadedModel, loadModelFor } from "./modelFile.ts";
import { readOnnx } from "./onnx.ts";
import type { Platform } from "./platform.ts";
import { largest } from "./sampleClassify.ts";

/** What figures of sets of pictures stand on. */
export interface Embedder {
  /** What it is, for whoever reads the figures. */
  readonly label: string;
  /** Of pictures [N, C, S, S] in 0…1, one row each. */
  features(image: Tensor): Promise<Features>;
  /** Whether all training pictures can be put through it. */
  readonly isQuick: boolean;
}

/** A classifier of small pictures. */
export interface Classifier extends Embedder {
  /** The class of each picture. */
  verdicts(image: Tensor): Promise<readonly number[]>;
}

export const rowsOf = (batch: Tensor): Features => ({ data: floats(batch), width: sizeOf(batch.shape.slice(1)) });

const BATCH = 250;

/** A trained or adopted classifier as judge; its features are what its last layer reads. */
export async function openClassifier(
  { network, usage, weights, path }: LoadedModel<ClassifyUsage>,
  runtime: Runtime,
): Promise<Classifier> {
  if (!network) throw userError(path, "expected a classifier of this package, got a graph");
  const leaf = input("input", [BATCH, usage.channels, usage.size, usage.size]);
  const inner = network.part("features", leaf);
  const features = await compileFunction({ output: inner }, { runtime, weights });
  const logits = await compileFunction({ output: network(leaf) }, { runtime, weights });
  return {
    label: `the ${inner.shape[1]} features of ${network.model.name} ${path}`,
    isQuick: true,
    features: async (image) => rowsOf(await inBatches(features, image, BATCH)),
    verdicts: async (image) => largest(floats(await inBatches(logits, image, BATCH)), usage.classes),
  };
}

/** What a feature network is asked for. */
export const featureOptions = z.object({
  features: z
    .string()
    .min(1)
    .optional()
    .describe(
      "for generators: network whose features count; .safetensors of Inception v3 (FID's or torchvision's weights) or .onnx",
    )
    .meta({ placeholder: "file" }),
  resize: z
    .enum(["clean", "legacy"])
    .default("clean")
    .describe(
      "for --features: enlarge or reduce by antialiased bicubic as Pillow and clean-fid, or by bilinear without antialiasing as pytorch-fid",
    ),
  featureSize: z
    .int()
    .min(8)
    .max(1024)
    .optional()
    .describe("for --features with an .onnx file of free size: side that it is given, 299 unless given, in pixels"),
  featureRange: z
    .enum(["unit", "symmetric", "bytes", "imagenet"])
    .optional()
    .describe(
      "for --features with an .onnx file: 0…1 (unless given), −1…1, 0…255, or less ImageNet's mean over deviation",
    ),
});

export type FeatureOptions = z.output<typeof featureOptions>;

const IMAGENET = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const;

const ranges = {
  unit: (x: Node) => x,
  symmetric: (x: Node) => add(mul(x, 2), -1),
  bytes: (x: Node) => mul(x, 255),
  imagenet: (x: Node) => {
    const { mean, deviation } = IMAGENET;
    const shift = mean.map((value, c) => -value / deviation[c]!);
    const planes = (values: readonly number[]) => constant(values, [1, 3, 1, 1]);
    return add(mul(x, planes(deviation.map((value) => 1 / value))), planes(shift));
  },
} as const;

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
  const name = `${network!.model.name} (${String(network!.options.pooling)} pooling) ${path}`;
  return { build, weights, channels: usage.channels, side: usage.size, batch: AT_ONCE, name };
}

async function loadGraph(path: string, { featureSize, featureRange = "unit" }: FeatureOptions, platform: Platform) {
  const { build, weights, example, batch } = readOnnx(await platform.files.read(path), path, featureSize ?? SIDE);
  assertFinite(weights, path);
  const [, channels, side, width] = example as readonly [number, number, number, number];
  if (side !== width || (featureSize !== undefined && side !== featureSize))
    throw userError(path, `expected a network for pictures of ${featureSize ?? side}×${featureSize ?? side}, got one for ${side}×${width}`); // biome-ignore format: one line
  if (channels !== 3 && featureRange === "imagenet")
    throw userError(path, "expected a network for RGB with ImageNet's range, got one for gray pictures");
  const ranged = (x: Node): Node => build(ranges[featureRange](x));
  return { build: ranged, weights, channels, side, batch: batch ?? AT_ONCE, name: `${path} (range ${featureRange})` };
}

/** Pictures [N, C, S, S] at a network's size and planes, in 0…1. */
function prepared(x: Node, { side, channels }: FeatureNetwork, method: FeatureOptions["resize"]): Node {
  const how = method === "clean" ? ({ mode: "cubic", antialias: true } as const) : ({ mode: "linear" } as const);
  const y = x.shape[2] === side ? x : clip(resize(x, { height: side, width: side }, how), 0, 1);
  return channels === 3 && x.shape[1] === 1 ? concat([y, y, y], 1) : y;
}

/** As picture files hold them. */
const rounded = ({ data, shape }: Tensor): Tensor =>
  tensor(
    (data as Float32Array).map((value) => Math.round(Math.min(1, Math.max(0, value)) * 255) / 255),
    shape,
  );

/**
 * A network of standard features on pictures of a size, which are rounded to 8 bits first. "clean" is the resampling of Parmar
 * et al., "On Aliased Resizing and Surprising Subtleties in GAN Evaluation", https://arxiv.org/abs/2104.11222; "legacy" is
 * pytorch-fid's. (TensorFlow's own graph samples half a pixel off; that is not repeated here.)
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
