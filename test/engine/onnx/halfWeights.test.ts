import { describe, expect, test } from "vitest";
import { exportOnnx } from "../../../src/engine/compile/export.ts";
import { importOnnx } from "../../../src/engine/import/importOnnx.ts";
import { input } from "../../../src/engine/index.ts";
import { readModel } from "../../../src/engine/onnx/read.ts";
import { srcnn } from "../../../src/models/srcnn.ts";
import { initialWeights, network } from "../../../src/nn/model.ts";
import { floats, type Shape, type Tensor, tensor } from "../../../src/tensor/tensor.ts";
import { filled, reference, runFile } from "../import/onnxModel.ts";
import { distance } from "../support.ts";

/** The nearest multiple of float16's step at the size of the number (2⁻²⁴ and more), of two the even one. */
function rounded(value: number): number {
  const step = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(value)))) - 10);
  const count = value / step;
  const [low, rest] = [Math.floor(count), count - Math.floor(count)];
  return step * (rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1);
}
const isLarge = ({ shape, data }: Tensor): boolean => shape.length > 1 && data.length >= 256;
const halved = (value: Tensor): Tensor => (isLarge(value) ? tensor(floats(value).map(rounded), value.shape) : value);

const one = network(srcnn);
const build = (shape: Shape) => one(input("input", shape));
const example = [1, 1, 16, 16];
const first = Object.entries(initialWeights([one], 3)).map(([key, value], at) => {
  return [key, isLarge(value) ? value : filled(value.shape, at)] as const; // biases that are not 0
});
const weights: Record<string, Tensor> = Object.fromEntries(first);
const { bytes, free } = exportOnnx(build, weights, { example, half: true });
const expected = Object.fromEntries(Object.entries(weights).map(([key, value]) => [key, halved(value)]));

describe("an ONNX file with weights as float16", () => {
  test("is half as large, with the same free sides and standard operators", () => {
    const full = exportOnnx(build, weights, { example });
    expect(bytes.length / full.bytes.length).toBeLessThan(0.55);
    expect(free).toEqual(full.free);
    const { nodes } = readModel(bytes, "half.onnx");
    expect(new Set(nodes.map(({ domain }) => domain))).toEqual(new Set([""]));
    expect(nodes.filter(({ op }) => op === "Cast")).toHaveLength(3); // the kernels, not the biases
  });

  test("gives kernels back rounded to the nearest float16, biases as they were, under the same names", () => {
    const imported = importOnnx(bytes, "half.onnx", "srcnn");
    expect(imported.weights).toEqual(expected);
    expect(imported.weights).not.toEqual(weights);
  });

  test("runs in ONNX Runtime, and imported, as the network with the rounded weights", async () => {
    const feeds = { input: filled([2, 1, 21, 9]) };
    const [ours] = reference([build([2, 1, 21, 9])], feeds, expected);
    const { output } = await runFile(bytes, feeds);
    expect(distance(output!.data as Float32Array, ours!.data)).toBeLessThan(1e-5);
    const imported = importOnnx(bytes, "half.onnx", "srcnn");
    const [back] = reference(imported.build([input("input", [2, 1, 21, 9])]), feeds, imported.weights);
    expect(distance(back!.data, ours!.data)).toBeLessThan(1e-7);
  });

  test("keeps kernels with numbers beyond float16 as they are", () => {
    const [key, kernel] = Object.entries(weights).find(([, value]) => isLarge(value))!;
    const large = tensor(floats(kernel).with(0, 70_000), kernel.shape);
    const file = exportOnnx(build, { ...weights, [key]: large }, { example, half: true });
    expect(importOnnx(file.bytes, "large.onnx", "srcnn").weights).toEqual({ ...expected, [key]: large });
  });
});
