import { exportOnnx, importOnnx, input, type Node, type Tensors } from "../engine/index.ts";
import { userError } from "../errors.ts";
import { type Use, useIn } from "../nn/use.ts";
import { assertFinite } from "../tensor/safetensors.ts";
import type { Shape } from "../tensor/tensor.ts";
import { cardOf, parseJson } from "./metadata.ts";
import type { LoadedModel } from "./model.ts";
import { type LoadOptions, stem } from "./names.ts";

/** A network that came from an ONNX file: one picture in, one out. */
export interface ForeignNetwork {
  /** An input that it takes, [1, C, H, W]. */
  readonly example: Shape;
  /** How many pictures at a time, where the file fixes that. */
  readonly batch: number | null;
  build(x: Node): Node;
  /** Keyed "network/parameter". */
  readonly weights: Tensors;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads an ONNX file as a network from picture to picture, or to something else.
 * @param where the file's name, for errors     @param side where the file leaves height or width open
 * @throws UserError for a network that is not from one picture to one output
 */
export function readOnnx(bytes: Uint8Array, where: string, side = 32): ForeignNetwork {
  const { inputs, outputs, weights, metadata, build } = importOnnx(bytes, where);
  const [picture] = inputs;
  const isPicture = picture?.shape.length === 4 && picture.dtype === "float32";
  if (inputs.length !== 1 || outputs.length !== 1 || !isPicture)
    throw userError(
      where,
      `expected a network with one picture [N, C, H, W] in and one out, got ${inputs.length} inputs and ${outputs.length} outputs`,
    );
  const [batch = null, channels, height, width] = picture.shape;
  if (channels !== 1 && channels !== 3)
    throw userError(where, `expected a network for pictures of 1 or 3 planes, got ${channels ?? "any number"}`);
  const example = [1, channels, height ?? side, width ?? side];
  return { example, batch, build: (x) => build([x])[0]!, weights, metadata };
}

export interface WriteOptions {
  /** An input that it takes. */
  readonly example: Shape;
  readonly metadata: Readonly<Record<string, string>>;
  readonly name: string;
  /** Store matrices and kernels as float16. */
  readonly half?: boolean;
}

/** Writes a network as an ONNX file that takes pictures of any size, as far as the network does. */
export const writeOnnx = (build: (x: Node) => Node, weights: Tensors, options: WriteOptions): Uint8Array =>
  exportOnnx((shape) => build(input("input", shape)), weights, options).bytes;

/**
 * An ONNX network from picture to picture. What it does is in its metadata when it is ours, else read from its shapes.
 * @throws UserError for a network that is not from picture to picture
 */
export function fromOnnx(bytes: Uint8Array, path: string, { scale }: LoadOptions): LoadedModel {
  const { example, build, weights, metadata } = readOnnx(bytes, path);
  assertFinite(weights, path);
  const leaf = input("input", example);
  const output = build(leaf);
  const [ratio, same] = [2, 3].map((axis) => output.shape[axis]! / example[axis]!) as [number, number];
  if (output.shape.length !== 4 || output.shape[1] !== example[1] || ratio !== same || !Number.isInteger(ratio))
    throw userError(
      path,
      `expected a network from picture to picture, got one from [${example.join(", ")}] to [${output.shape.join(", ")}]`,
    );
  const own = useIn(parseJson(metadata.usage));
  if (!own && ratio === 1 && scale === undefined)
    throw userError(
      path,
      "expected to be told what this network's input is enlarged by, got no scale",
      "Give a scale.",
    );
  const usage: Use = own ?? {
    task: "upscale",
    scale: ratio === 1 ? scale! : ratio,
    color: example[1] === 1 ? "y" : "rgb",
    input: ratio === 1 ? "enlarged" : "lr",
  };
  const name = stem(path);
  return {
    name,
    path,
    usage,
    example,
    build,
    weights,
    card: cardOf(metadata),
  };
}
