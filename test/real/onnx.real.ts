import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import { type Imported, importOnnx } from "../../src/engine/import/importOnnx.ts";
import { compileFunction, input } from "../../src/engine/index.ts";
import { createRuntime } from "../../src/engine/runtime/node.ts";
import { crop, type Picture } from "../../src/image/picture.ts";
import { readPicture } from "../../src/platform/codec.ts";
import { floats, type Shape, type Tensor, tensor } from "../../src/tensor/tensor.ts";
import { filled, runFile } from "../engine/import/onnxModel.ts";
import { distance } from "../engine/support.ts";

const data = join(process.env.IMAGO_SHARED ?? "../shared", "data");
const isHere = existsSync(join(data, "weights"));
if (!isHere) console.warn(`SKIPPED: ${data} is missing; set IMAGO_SHARED to run published networks.`);

const runtime = createRuntime("cpu", { threads: 2 });
afterAll(() => runtime.dispose());

const load = (file: string): { bytes: Uint8Array; imported: Imported } => {
  const bytes = readFileSync(join(data, "weights", file));
  return { bytes, imported: importOnnx(bytes, file) };
};

/** Runs an imported network on the cpu runtime; `names` are inner values to return in place of its outputs. */
async function run({ inputs, outputs, build, weights }: Imported, value: Tensor, names = outputs): Promise<Tensor[]> {
  const made = build([input(inputs[0]!.name, value.shape)], names);
  const nodes = Object.fromEntries(made.map((node, at) => [`${at}`, node]));
  const executable = await compileFunction(nodes, { runtime, weights });
  const results = await executable.run({ [inputs[0]!.name]: value });
  await executable.dispose();
  return names.map((_, at) => results[`${at}`]!);
}

/** A picture as [1, 3, H, W] in blue, green, red, 0…255, less the mean of each. */
function bgr({ data: samples, width, height, channels }: Picture, means: readonly number[] = [0, 0, 0]): Tensor {
  const area = width * height;
  const planes = new Float32Array(3 * area);
  for (let c = 0; c < 3; c++)
    for (let at = 0; at < area; at++) planes[c * area + at] = samples[at * channels + 2 - c]! - means[c]!;
  return tensor(planes, [1, 3, height, width]);
}

const central = (picture: Picture, side: number): Picture =>
  crop(picture, {
    x: Math.floor((picture.width - side) / 2),
    y: Math.floor((picture.height - side) / 2),
    width: side,
    height: side,
  });

/** A whole number of at most 11 bits as float16. */
function toHalf(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | (Math.abs(value) * 2 ** (10 - exponent) - 1024);
}

/** A positive float16 as a number. */
const fromHalf = (bits: number): number =>
  bits < 1024 ? bits * 2 ** -24 : (1 + (bits & 1023) / 1024) * 2 ** ((bits >> 10) - 15);

interface Activation {
  readonly shape: Shape;
  readonly mean: number;
  readonly std: number;
  readonly max: number;
  readonly first5: readonly number[];
}

interface Style {
  readonly shape: Shape;
  readonly mean_rgb: readonly number[];
  readonly std_rgb: readonly number[];
  readonly pixel_128_128: readonly number[];
}

const expected = isHere ? JSON.parse(readFileSync(join(data, "weights", "EXPECTED.json"), "utf8")) : {};

const moments = (values: Float32Array): [mean: number, std: number] => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return [mean, Math.sqrt(values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length)];
};

describe.skipIf(!isHere)("SqueezeNet 1.1, weights in float16", () => {
  const network = isHere ? load("squeezenet1_1/SqueezeNet_fp16.onnx") : undefined!;
  const means = [104, 117, 123];
  const read = async (file: string): Promise<Tensor> => bgr(central(await readPicture(join(data, file)), 224), means);

  test("equals the file in ONNX Runtime, which computes in float16", async () => {
    const value = await read("style/content/chicago.jpg");
    const [ours] = await run(network.imported, value);
    const session = await ort.InferenceSession.create(network.bytes);
    const { softmaxout_1 } = await session.run({
      data_0: new ort.Tensor("float16", Uint16Array.from(floats(value), toHalf), value.shape),
    });
    const theirs = Float64Array.from(softmaxout_1!.data as Uint16Array, fromHalf);
    expect(distance(floats(ours!), theirs)).toBeLessThan(3e-3);
  });

  test("finds the published classes", async () => {
    for (const [file, top] of Object.entries(expected.squeezenet1_1.top5 as Record<string, [number, number][]>)) {
      const [scores] = await run(network.imported, await read(file));
      const found = [...floats(scores!).entries()].sort((a, b) => b[1] - a[1]).slice(0, 5);
      expect(found.map(([place]) => place), file).toEqual(top.map(([place]) => place)); // biome-ignore format: one line
      found.forEach(([, score], rank) => void expect(Math.abs(score - top[rank]![1]), file).toBeLessThan(5e-3));
    }
  });

  test("inner layers have the published activations", async () => {
    const file = "sr/set5/x2/butterfly_HR.png";
    const published = expected.squeezenet1_1[`activations_for_${file}`] as Record<string, Activation>;
    const found = await run(network.imported, await read(file), Object.keys(published));
    for (const [at, [name, { shape, mean, std, first5 }]] of Object.entries(published).entries()) {
      expect(found[at]!.shape, name).toEqual(shape);
      const values = floats(found[at]!);
      expect(distance([...moments(values), ...values.slice(0, 5)], [mean, std, ...first5]), name).toBeLessThan(2e-2);
    }
  });
});

describe.skipIf(!isHere).each(["candy", "mosaic"])("fast style %s", (style) => {
  const network = isHere ? load(`fast_style_${style}/${style}.onnx`) : undefined!;

  test("equals the file in ONNX Runtime at the file's own size", async () => {
    const value = tensor(floats(filled([1, 3, 720, 720], 4)).map((v) => (v + 2) * 63), [1, 3, 720, 720]); // biome-ignore format: one line
    const [ours] = await run(network.imported, value);
    const { outputImage } = await runFile(network.bytes, { inputImage: value });
    expect(distance(floats(ours!), floats(outputImage!))).toBeLessThan(1e-4);
  });

  test("gives the published picture at another size", async () => {
    const published = expected[`fast_style_${style}`]["butterfly 256x256 output"] as Style;
    const [picture] = await run(network.imported, bgr(await readPicture(join(data, "sr/set5/x2/butterfly_HR.png"))));
    const [height, width] = published.shape as [number, number];
    expect(picture!.shape).toEqual([1, 3, height, width]);
    [2, 1, 0].forEach((plane, color) => {
      const values = floats(picture!).subarray(plane * height * width, (plane + 1) * height * width);
      const shown = values.map((value) => Math.min(255, Math.max(0, value)));
      const [mean, std] = moments(shown);
      const numbers = [mean, std, shown[128 * width + 128]!];
      const wanted = [published.mean_rgb[color]!, published.std_rgb[color]!, published.pixel_128_128[color]!];
      numbers.forEach((number, at) => void expect(Math.abs(number - wanted[at]!)).toBeLessThan(0.02));
    });
  });
});
