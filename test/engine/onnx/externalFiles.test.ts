import { expect, test } from "vitest";
import { type ByteSource, externalFiles, sourceOf } from "../../../src/engine/onnx/externalFiles.ts";
import { tensor } from "../../../src/tensor/tensor.ts";
import { type ModelSpec, model } from "../import/onnxModel.ts";

const external = (location: string) => ({ code: 1, shape: [4], external: { location, offset: "0", length: "16" } });

/** A graph that reads one tensor of a file. */
const reading = (location: string): ModelSpec => ({
  nodes: [{ op: "Identity", inputs: ["w"], outputs: ["y"] }],
  constants: { w: external(location) },
  inputs: [],
  outputs: ["y"],
});

/** A graph inside a graph, so many times. */
const nested = (depth: number, inner: ModelSpec): ModelSpec =>
  depth === 0
    ? inner
    : {
        nodes: [
          {
            op: "If",
            inputs: ["b"],
            outputs: ["y"],
            attributes: { then_branch: { graph: nested(depth - 1, inner) } },
          },
        ],
        inputs: [],
        outputs: ["y"],
      };

const MEGABYTE = 2 ** 20;
const mixed = model({
  nodes: [
    { op: "Add", inputs: ["large", "a"], outputs: ["s"] },
    { op: "Constant", inputs: [], outputs: ["c"], attributes: { value: external("constants/c.bin") } },
    ...nested(3, reading("deep.bin")).nodes,
  ],
  constants: { large: tensor(new Float32Array(MEGABYTE / 4).fill(0.1), [MEGABYTE / 4]), a: external("./a.bin") },
  inputs: [{ name: "b", shape: [], dtype: "bool" }],
  outputs: ["s"],
});

test("files named in weights, attributes and subgraphs are found, however few bytes come at once", () => {
  for (const most of [1, 7, MEGABYTE]) {
    const source: ByteSource = {
      size: mixed.length,
      read: (from, length) => mixed.subarray(from, from + Math.min(length, most)),
    };
    expect(externalFiles(source, "m.onnx").sort()).toEqual(["./a.bin", "constants/c.bin", "deep.bin"]);
  }
});

test("numbers inside the file are passed over", () => {
  let count = 0;
  const read = (from: number, length: number): Uint8Array => {
    count += length;
    return mixed.subarray(from, from + length);
  };
  externalFiles({ size: mixed.length, read }, "m.onnx");
  expect(count).toBeLessThan(MEGABYTE / 4);
});

test("a file that names none", () => {
  expect(externalFiles(sourceOf(model({ nodes: [], inputs: [], outputs: [] })), "m.onnx")).toEqual([]);
});

test("graphs too deep in each other, and bytes that are no message", () => {
  const words =
    (bytes: Uint8Array): (() => void) =>
    () =>
      externalFiles(sourceOf(bytes), "m.onnx");
  expect(words(model(nested(40, reading("w.bin"))))).toThrow(/^m\.onnx: expected an ONNX model, .* too deep/);
  expect(words(mixed.subarray(0, MEGABYTE))).toThrow("a field goes on after its message");
  expect(words(Uint8Array.of(0x0a))).toThrow("the end of the file");
  expect(words(Uint8Array.of(0x0b, 0, 0))).toThrow("the wire type 3");
  expect(words(new Uint8Array(12).fill(0xff))).toThrow("more than ten bytes");
});
