import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { describe, expect, test } from "vitest";
import { importOnnx } from "../../../src/engine/import/importOnnx.ts";
import * as e from "../../../src/engine/index.ts";
import { readModel } from "../../../src/engine/onnx/read.ts";
import { UserError } from "../../../src/errors.ts";
import { indices, type Tensor, tensor } from "../../../src/tensor/tensor.ts";
import { distance, seeded } from "../support.ts";
import { filled, importDistance, int, type ModelNode, type ModelSpec, model, reference, text } from "./onnxModel.ts";

const node = (
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: ModelNode["attributes"] = {},
): ModelNode => ({
  op,
  inputs,
  outputs,
  attributes,
});
const ints = (...values: number[]): Tensor => indices(values, [values.length]);
const picture = { name: "x", shape: ["N", 4, "H", "W"] };
const feeds = { x: filled([2, 4, 6, 5]) };

/** A small network: convolution, batch norm, rectifier, pooling, linear layer. */
const SMALL: ModelSpec = {
  nodes: [
    node("Conv", ["x", "conv.weight", "conv.bias"], ["a"], { pads: [1, 1, 1, 1] }),
    node("BatchNormalization", ["a", "norm.weight", "norm.bias", "norm.mean", "norm.var"], ["b"]),
    node("Relu", ["b"], ["c"]),
    node("GlobalAveragePool", ["c"], ["d"]),
    node("Flatten", ["d"], ["e"]),
    node("Gemm", ["e", "fc.weight", "fc.bias"], ["y"], { transB: 1 }),
  ],
  constants: {
    "conv.weight": filled([3, 4, 3, 3], 1),
    "conv.bias": filled([3], 2),
    "norm.weight": filled([3], 3),
    "norm.bias": filled([3], 4),
    "norm.mean": filled([3], 5),
    "norm.var": filled([3], 6, true),
    "fc.weight": filled([2, 3], 7),
    "fc.bias": filled([2], 8),
  },
  inputs: [picture],
  outputs: ["y", "c"],
};

describe("an imported network", () => {
  const imported = importOnnx(model(SMALL), "small.onnx", "net");
  const x = e.input("x", [2, 4, 6, 5]);

  test("has inputs with free sides, outputs, and weights under the names of the file", () => {
    expect(imported.inputs).toEqual([{ name: "x", dtype: "float32", shape: [null, 4, null, null] }]);
    expect(imported.outputs).toEqual(["y", "c"]);
    expect(Object.keys(imported.weights)).toEqual(Object.keys(SMALL.constants!).map((name) => `net/${name}`));
    expect(imported.weights["net/fc.weight"]).toEqual(SMALL.constants!["fc.weight"]);
  });

  test("equals the file in ONNX Runtime", async () => {
    expect(await importDistance(model(SMALL), feeds)).toBeLessThan(1e-6);
  });

  test("is differentiable; statistics are not trained, and calls share the parameters", () => {
    const [y] = imported.build([x]);
    const parameters = e.parametersOf([y!]);
    expect(e.parametersOf(imported.build([x]))).toEqual(parameters);
    const fixed = parameters.filter(({ attributes }) => !attributes.trainable).map(({ attributes }) => attributes.name);
    expect(fixed).toEqual(["norm.mean", "norm.var"]);
    const loss = e.mean(e.square(y!));
    const weight = parameters.find(({ attributes }) => attributes.name === "conv.weight")!;
    const [slope, back] = reference(e.gradient(loss, [weight, x]), feeds, imported.weights);
    expect(slope!.data.some((value) => Math.abs(value) > 1e-4)).toBe(true);
    expect(back!.shape).toEqual([2, 4, 6, 5]);
  });

  test("makes a predictor for any size", async () => {
    const runtime = e.referenceRuntime();
    const build = (shape: readonly number[]) => imported.build([e.input("input", shape)])[1]!;
    const predictor = e.compilePredictor(build, { runtime, weights: imported.weights });
    expect((await predictor.run(filled([1, 4, 3, 7]))).shape).toEqual([1, 3, 3, 7]);
  });

  test("refuses other inputs", () => {
    expect(() => imported.build([])).toThrow("small.onnx: expected 1 inputs (x), got 0.");
    expect(() => imported.build([e.input("x", [1, 3, 6, 5])])).toThrow(
      "small.onnx › input x: expected float32 [any, 4, any, any], got float32 [1, 3, 6, 5].",
    );
  });
});

describe("values known beforehand", () => {
  test("a resize by sizes that the file works out from the shape, as PyTorch writes it", async () => {
    const nodes = [
      node("Shape", ["x"], ["shape"]),
      node("Constant", [], ["two"], { value: indices([2], []) }),
      node("Gather", ["shape", "two"], ["height"]),
      node("Unsqueeze", ["height", "zero"], ["h"]),
      node("Cast", ["h"], ["hf"], { to: 1 }),
      node("Mul", ["hf", "factor"], ["big"]),
      node("Floor", ["big"], ["floor"]),
      node("Cast", ["floor"], ["rows"], { to: 7 }),
      node("Slice", ["shape", "three", "end"], ["w"]),
      node("Div", ["w", "half"], ["columns"]),
      node("Slice", ["shape", "zero", "axes"], ["front"]),
      node("Concat", ["front", "rows", "columns"], ["sizes"], { axis: 0 }),
      node("Resize", ["x", "", "", "sizes"], ["y"], { mode: "linear" }),
    ];
    const constants = {
      zero: ints(0),
      axes: ints(2),
      three: ints(3),
      end: ints(9),
      half: ints(2),
      factor: tensor([1.7], [1]),
    };
    const spec = { nodes, constants, inputs: [picture], outputs: ["y"] };
    expect(await importDistance(model(spec), feeds)).toBeLessThan(1e-6);
    const [y] = importOnnx(model(spec), "f").build([e.input("x", [1, 4, 7, 9])]);
    expect(y!.shape).toEqual([1, 4, 11, 4]);
  });

  test("pads turned round by a slice with a negative step, as PyTorch writes them", async () => {
    const nodes = [
      node("ConstantOfShape", ["four"], ["zeros"], { value: ints(0) }),
      node("Concat", ["some", "zeros"], ["all"], { axis: 0 }),
      node("Reshape", ["all", "pairs"], ["table"]),
      node("Slice", ["table", "last", "first", "axis", "last"], ["turned"]),
      node("Transpose", ["turned"], ["columns"], { perm: [1, 0] }),
      node("Reshape", ["columns", "flat"], ["pads"]),
      node("Cast", ["pads"], ["long"], { to: 7 }),
      node("Pad", ["x", "long"], ["y"], { mode: "reflect" }),
    ];
    const constants = {
      four: ints(4),
      some: ints(1, 2, 3, 1),
      pairs: ints(-1, 2),
      last: ints(-1),
      first: ints(-9223372036854775000),
      axis: ints(0),
      flat: ints(-1),
    };
    expect(await importDistance(model({ nodes, constants, inputs: [picture], outputs: ["y"] }), feeds)).toBe(0);
  });

  test("comparisons, ranges and products of shapes", async () => {
    const nodes = [
      node("Shape", ["x"], ["shape"]),
      node("ReduceProd", ["shape"], ["count"], { keepdims: 1 }),
      node("Equal", ["shape", "six"], ["isSix"]),
      node("Where", ["isSix", "minus", "shape"], ["sides"]),
      node("Reshape", ["x", "sides"], ["a"]),
      node("Size", ["x"], ["size"]),
      node("Range", ["none", "five", "one"], ["range"]),
      node("Cast", ["range"], ["steps"], { to: 1 }),
      node("Add", ["a", "steps"], ["b"]),
      node("Reshape", ["b", "count"], ["y"]),
    ];
    const constants = {
      six: ints(6),
      minus: ints(-1),
      none: indices([0], []),
      five: indices([5], []),
      one: indices([1], []),
    };
    expect(await importDistance(model({ nodes, constants, inputs: [picture], outputs: ["y"] }), feeds)).toBeLessThan(
      1e-6,
    );
  });

  test("operands broadcast at an axis in opset 6", () => {
    const nodes = [node("Add", ["x", "b"], ["y"], { broadcast: 1, axis: 1 })];
    const spec = { opset: 6, nodes, constants: { b: tensor([1, 2, 3, 4], [4]) }, inputs: [picture], outputs: ["y"] };
    const imported = importOnnx(model(spec), "f");
    const [y] = reference(imported.build([e.input("x", [2, 4, 6, 5])]), feeds, imported.weights);
    expect(y!.data[35]).toBeCloseTo((feeds.x.data[35] as number) + 2, 6);
  });

  test("casts between floats and of comparisons; scalars and lists in attributes", async () => {
    const nodes = [
      node("Constant", [], ["c"], { value_floats: { floats: [0.5] } }),
      node("Greater", ["x", "c"], ["mask"]),
      node("Cast", ["mask"], ["m"], { to: 1 }),
      node("Cast", ["x"], ["half"], { to: 11 }),
      node("Cast", ["half"], ["back"], { to: 1 }),
      node("Mul", ["m", "back"], ["y"]),
    ];
    expect(await importDistance(model({ nodes, inputs: [picture], outputs: ["y"] }), feeds)).toBe(0);
  });

  test("a transposed convolution keeps its reach at other sizes than the file's", () => {
    const nodes = [node("ConvTranspose", ["x", "w"], ["y"], { strides: [2, 2], output_shape: [14, 12] })];
    const inputs = [{ name: "x", shape: [1, 4, 6, 5] }];
    const imported = importOnnx(model({ nodes, constants: { w: filled([4, 2, 3, 3]) }, inputs, outputs: ["y"] }), "f");
    expect(imported.build([e.input("x", [3, 4, 10, 20])])[0]!.shape).toEqual([3, 2, 22, 42]);
  });
});

/** A TensorProto with the fields given, as the only weight of a model that adds it to its input. */
function withTensor(fill: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter().tag(7, WireType.LengthDelimited).fork();
  const rest = model({ nodes: [node("Add", ["x", "w"], ["y"])], inputs: [{ name: "x", shape: [2] }], outputs: ["y"] });
  writer.tag(5, WireType.LengthDelimited).fork();
  text(writer, 8, "w");
  fill(writer);
  writer.join();
  writer.raw(graphOf(rest));
  return writer.join().finish();
}

/** The bytes of the graph in a model made by hand. */
const graphOf = (bytes: Uint8Array): Uint8Array => {
  const start = bytes.indexOf(0x3a) + 1; // the tag of field 7 follows the IR version
  return bytes.subarray(start + 1, start + 1 + bytes[start]!);
};

describe("tensors of a file", () => {
  const half = (value: number): number =>
    [0x3c00, 0xc100, 0x0001, 0x7c00][[1, -2.5, 2 ** -24, Infinity].indexOf(value)]!;
  const weight = (fill: (writer: BinaryWriter) => void) => readModel(withTensor(fill), "f").constants.get("w")!;
  const raw = (w: BinaryWriter, bytes: ArrayBufferView): void =>
    void w.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(bytes.buffer));

  test("floats as packed and single numbers, doubles", () => {
    const packed = weight((w) => {
      int(int(w, 1, 2), 2, 1)
        .tag(4, WireType.LengthDelimited)
        .fork()
        .float(1.5)
        .float(-2)
        .join();
    });
    expect(packed).toEqual(tensor([1.5, -2], [2]));
    const single = weight(
      (w) =>
        void int(int(w, 1, 1), 2, 1)
          .tag(4, WireType.Bit32)
          .float(3),
    );
    expect(single).toEqual(tensor([3], [1]));
    const double = weight(
      (w) =>
        void int(int(w, 1, 1), 2, 11)
          .tag(10, WireType.Bit64)
          .double(0.5),
    );
    expect(double).toEqual(tensor([0.5], [1]));
  });

  test("float16 and bfloat16 are widened", () => {
    const values = [1, -2.5, 2 ** -24, Infinity];
    expect(weight((w) => raw(int(int(w, 1, 4), 2, 10), Uint16Array.from(values, half)))).toEqual(tensor(values, [4]));
    expect(weight((w) => void int(int(int(w, 1, 1), 2, 10), 5, half(-2.5)))).toEqual(tensor([-2.5], [1]));
    expect(weight((w) => raw(int(int(w, 1, 2), 2, 16), Uint16Array.of(0x3f80, 0xc020)))).toEqual(
      tensor([1, -2.5], [2]),
    );
  });

  test("whole numbers and booleans", () => {
    expect(weight((w) => void int(int(int(w, 1, 1), 2, 7), 7, -3))).toEqual(indices([-3], [1]));
    expect(weight((w) => raw(int(int(w, 1, 2), 2, 6), Int32Array.of(-1, 7)))).toEqual(indices([-1, 7], [2]));
    expect(weight((w) => raw(int(int(w, 1, 2), 2, 9), Uint8Array.of(1, 0))).data).toEqual(Uint8Array.of(1, 0));
  });

  test("external data, odd types and wrong sizes are refused", () => {
    expect(() => weight((w) => void int(int(int(w, 1, 2), 2, 1), 14, 1))).toThrow(
      "f › tensor w: expected the numbers inside the file, got a reference to another file (external data). Save the model with its weights in one file.",
    );
    expect(() => weight((w) => void int(int(w, 1, 2), 2, 8))).toThrow("got the element type 8");
    expect(() => weight((w) => raw(int(int(w, 1, 3), 2, 1), new Float32Array(2)))).toThrow(
      "f › tensor w: expected 3 numbers for [3], got 2.",
    );
    expect(() => weight((w) => void int(int(int(w, 1, 2 ** 40), 1, 2 ** 40), 2, 1))).toThrow(UserError);
    expect(() => weight((w) => void int(int(w, 1, -1), 2, 1))).toThrow(UserError);
  });
});

describe("what is refused", () => {
  const refuse = (spec: Partial<ModelSpec> & Pick<ModelSpec, "nodes">) => () => {
    const imported = importOnnx(model({ inputs: [picture], outputs: ["y"], ...spec }), "bad.onnx");
    return imported.build([e.input("x", [1, 4, 6, 5])]);
  };

  test("operators that are not covered, named with their place", () => {
    expect(refuse({ nodes: [node("LSTM", ["x"], ["y"])] })).toThrow(
      "bad.onnx › node 0: expected a standard operator that Imago covers, got the operator LSTM.",
    );
    expect(refuse({ nodes: [{ ...node("Gelu", ["x"], ["y"]), domain: "com.microsoft" }] })).toThrow(
      "got the operator com.microsoft.Gelu.",
    );
  });

  test("files that are no models", () => {
    const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);
    for (const content of ["", "hello, this is a text", '{"json": true}', "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"])
      expect(() => importOnnx(bytes(content), "bad.onnx"), content).toThrow(/^bad\.onnx: expected an ONNX model, got/);
  });

  test("graphs without pictures to feed, or without an output", () => {
    expect(refuse({ nodes: [node("Constant", [], ["y"], { value_float: { float: 1 } })], inputs: [] })).toThrow(
      "bad.onnx: expected a network with an input for pictures (floats), got none.",
    );
    const whole = [{ name: "x", shape: [1], dtype: "int64" }] as const;
    expect(refuse({ nodes: [node("Identity", ["x"], ["y"])], inputs: whole })).toThrow("an input for pictures");
    expect(refuse({ nodes: [node("Relu", ["x"], ["y"])], outputs: [] })).toThrow("expected a network with an output");
    expect(refuse({ nodes: [node("Relu", ["x"], ["z"])] })).toThrow("output y: expected a node that makes it");
  });

  test("values that nobody makes, and circles", () => {
    expect(refuse({ nodes: [node("Add", ["x", "q"], ["y"])] })).toThrow(
      "bad.onnx › node 0: expected the value q before it is used, got none.",
    );
    expect(refuse({ nodes: [node("Add", ["x", "y"], ["y"])] })).toThrow("expected the value y before");
  });

  test("shapes that do not fit, with file and node", () => {
    const w = filled([3, 5, 3, 3]);
    expect(refuse({ nodes: [node("Conv", ["x", "w"], ["y"])], constants: { w } })).toThrow(
      "bad.onnx › node 0 › conv2d: the input has 4 channels, the weight expects 5",
    );
    expect(refuse({ nodes: [node("Reshape", ["x", "s"], ["y"])], constants: { s: ints(7, 7) } })).toThrow(
      "bad.onnx › node 0: expected a shape for the elements of [1, 4, 6, 5], got [7, 7] (Reshape).",
    );
    expect(refuse({ nodes: [node("Reshape", ["x", "x"], ["y"])] })).toThrow("expected numbers known beforehand");
  });

  test("attributes of another kind", () => {
    expect(refuse({ nodes: [node("LeakyRelu", ["x"], ["y"], { alpha: "steep" })] })).toThrow(
      "bad.onnx › node 0: alpha: expected a number, got another kind of attribute (LeakyRelu).",
    );
  });

  test("sizes that would fill the memory", () => {
    const sizes = {
      s: ints(2 ** 30, 2 ** 30),
      one: indices([1], []),
      zero: indices([0], []),
      end: indices([2 ** 40], []),
    };
    const nodes: ModelNode[][] = [
      [node("ConstantOfShape", ["s"], ["y"])],
      [node("Expand", ["one", "s"], ["y"])],
      [node("Range", ["zero", "end", "one"], ["r"]), node("Cast", ["r"], ["y"], { to: 1 })],
      [node("Tile", ["x", "t"], ["y"])],
      [node("Pad", ["x", "p"], ["y"])],
      [node("Resize", ["x", "", "", "z"], ["y"])],
      [node("MaxPool", ["x"], ["y"], { kernel_shape: [1, 1], strides: [0, 0] })],
      [node("MaxPool", ["x"], ["y"], { kernel_shape: [2 ** 40, 2 ** 40], ceil_mode: 1 })],
      [node("AveragePool", ["x"], ["y"], { kernel_shape: [1000000, 1000000], pads: [999999, 999999, 999999, 999999] })],
      [node("DepthToSpace", ["x"], ["y"], { blocksize: 2 ** 40 })],
      [node("SpaceToDepth", ["x"], ["y"], { blocksize: -1 })],
      [node("Unsqueeze", ["x", "many"], ["y"])],
    ];
    const big = { t: ints(1, 1, 2 ** 30, 4), p: ints(0, 0, 2 ** 30, 2 ** 30, 0, 0, 0, 0), z: ints(1, 4, 2 ** 30, 5) };
    const many = indices(Array.from({ length: 100000 }, (_, at) => at), [100000]); // biome-ignore format: one line
    for (const one of nodes)
      expect(refuse({ nodes: one, constants: { ...sizes, ...big, many } }), one[0]!.op).toThrow(UserError);
  });
});

describe("damaged files", () => {
  const whole = model(SMALL);
  const outcome = (bytes: Uint8Array): string => {
    try {
      importOnnx(bytes, "damaged.onnx").build([e.input("x", [1, 4, 6, 5])]);
      return "fine";
    } catch (error) {
      return error instanceof UserError ? "UserError" : String((error as Error).stack);
    }
  };

  test("every truncation is refused", () => {
    const ends = Array.from({ length: whole.length }, (_, end) => end);
    const found = new Set(ends.map((end) => outcome(whole.subarray(0, end))));
    expect([...found].filter((one) => one !== "UserError" && one !== "fine")).toEqual([]);
    const early = ends.filter((end) => end < whole.length - 8).map((end) => outcome(whole.subarray(0, end)));
    expect(new Set(early)).toEqual(new Set(["UserError"]));
  });

  test("changed bytes give a network or a UserError, soon", () => {
    const random = seeded(11);
    const strange = new Set<string>();
    const start = performance.now();
    for (let round = 0; round < 3000; round++) {
      const bytes = whole.slice();
      for (let change = 0; change < 1 + (round % 4); change++)
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      strange.add(outcome(bytes));
    }
    expect([...strange].filter((one) => one !== "UserError" && one !== "fine")).toEqual([]);
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  test("a heap of empty messages is refused", () => {
    const heap = new Uint8Array(10_000_006);
    heap.set([0x3a, 0x80, 0xad, 0xe2, 0x04], 0); // a graph of 10,000,000 bytes
    for (let at = 5; at < heap.length; at += 2) heap[at] = 0x0a; // a node of 0 bytes
    expect(() => readModel(heap.subarray(0, 10_000_005), "heap.onnx")).toThrow("too many fields");
  });

  test("products of large weights are not worked out where a shape is asked for, nor the same large value many times", () => {
    const large = { w: filled([400, 400]), one: ints(1) };
    const heavy = [
      node("MatMul", ["w", "w"], ["a"]),
      node("Cast", ["a"], ["b"], { to: 7 }),
      node("Expand", ["x", "b"], ["y"]),
    ];
    const spec = { nodes: heavy, constants: large, inputs: [picture], outputs: ["y"] };
    expect(outcome(model(spec))).toBe("UserError");
    const rounds = Array.from({ length: 400 }, (_, at) => node("Cast", ["w"], [`c${at}`], { to: 7 }));
    const sum = node("Sum", ["x", ...rounds.map(({ outputs }) => outputs[0]!)], ["y"]);
    const start = performance.now();
    expect(outcome(model({ ...spec, nodes: [...rounds, sum] }))).toBe("UserError");
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test("a metadata key cannot reach the prototype", () => {
    const writer = new BinaryWriter().raw(whole).tag(14, WireType.LengthDelimited).fork();
    text(text(writer, 1, "__proto__"), 2, "x");
    const { metadata } = readModel(writer.join().finish(), "f");
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
  });
});

test("an imported network trains", async () => {
  const nodes = [node("Conv", ["x", "w", "b"], ["y"], { pads: [1, 1, 1, 1] })];
  const constants = { w: filled([1, 1, 3, 3]), b: tensor([0], [1]) };
  const inputs = [{ name: "x", shape: [null, 1, 4, 4].map((side) => side ?? "N") }];
  const imported = importOnnx(model({ nodes, constants, inputs, outputs: ["y"] }), "f", "net");
  const [x, target] = [e.input("x", [1, 1, 4, 4]), e.input("target", [1, 1, 4, 4])];
  const loss = e.mean(e.square(e.sub(imported.build([x])[0]!, target)));
  const descent: e.Optimizer = {
    name: "descent",
    slots: [],
    scalars: (_, rate) => ({ rate }),
    update: (weights, slope, _, { rate }) => ({ weights: e.sub(weights, e.mul(slope, rate!)), slots: [] }),
  };
  const step = await e.compileStep(
    { turns: { net: { moves: ["net"], loss, optimizer: descent } } },
    { runtime: e.referenceRuntime(), weights: imported.weights },
  );
  const batch = { x: filled([1, 1, 4, 4]), target: filled([1, 1, 4, 4], 2) };
  const losses: number[] = [];
  for (let at = 1; at <= 5; at++) losses.push((await step.run(batch, { step: at, learningRate: 0.02 })).losses.net!);
  expect(losses).toEqual([...losses].sort((a, b) => b - a));
  expect(distance([losses[4]!], [losses[0]!])).toBeGreaterThan(0.05);
});
