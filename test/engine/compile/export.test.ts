import { describe, expect, test } from "vitest";
import { z } from "zod";
import { exportOnnx } from "../../../src/engine/compile/export.ts";
import { importOnnx } from "../../../src/engine/import/importOnnx.ts";
import * as e from "../../../src/engine/index.ts";
import { readModel } from "../../../src/engine/onnx/read.ts";
import { classifier } from "../../../src/models/classifier.ts";
import { lenet } from "../../../src/models/lenet.ts";
import { srcnn } from "../../../src/models/srcnn.ts";
import { conv2d, convTranspose2d, linear } from "../../../src/nn/layers.ts";
import { defineModel, initialWeights, type Network, network, type Parameters } from "../../../src/nn/model.ts";
import { batchNorm, instanceNorm } from "../../../src/nn/norms.ts";
import type { Shape, Tensor } from "../../../src/tensor/tensor.ts";
import { filled, reference, runFile } from "../import/onnxModel.ts";
import { distance } from "../support.ts";

const small = (name: string, build: (x: e.Node, p: Parameters) => e.Node, shape: Shape = [1, 4, 12, 10]): Network =>
  network(defineModel({ name, summary: "", paper: "", options: z.object({}), input: () => shape, build }), {}, name);

/** Batch statistics that are not 0 and 1, and everything else as initialized. */
function weightsOf(one: Network): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(initialWeights([one], 3)).map(([key, value], at) => {
      if (!/running_|norm/.test(key)) return [key, value];
      return [key, filled(value.shape, at, key.endsWith("running_var"))];
    }),
  );
}

const graphOf = (one: Network) => (shape: Shape) => one(e.input("input", shape));

/** The largest difference between the exported file in ONNX Runtime and the engine's reference at each size. */
async function farthest(bytes: Uint8Array, one: Network, sizes: readonly Shape[]): Promise<number> {
  let worst = 0;
  const weights = weightsOf(one);
  for (const [at, shape] of sizes.entries()) {
    const feeds = { input: filled(shape, at) };
    const [ours] = reference([graphOf(one)(shape)], feeds, weights);
    const { output } = await runFile(bytes, feeds);
    expect(output!.shape).toEqual(ours!.shape);
    worst = Math.max(worst, distance(output!.data as Float32Array, ours!.data));
  }
  return worst;
}

describe("SRCNN", () => {
  const one = network(srcnn, { features: 8, mapped: 4 });
  const { bytes, free, multiple } = exportOnnx(graphOf(one), weightsOf(one), {
    example: [1, 1, 16, 16],
    metadata: { model: "srcnn", options: '{"features":8}' },
    name: "srcnn",
  });
  const file = readModel(bytes, "srcnn.onnx");

  test("every side is free, by name in the file", () => {
    expect({ free, multiple }).toEqual({ free: ["N", "H", "W"], multiple: 1 });
    expect(file.inputs).toEqual([{ name: "input", dtype: "float32", shape: [null, 1, null, null] }]);
    expect(file.outputs).toEqual([{ name: "output", dtype: "float32", shape: [null, 1, null, null] }]);
  });

  test("the file equals the reference at other sizes and batches", async () => {
    const sizes = [[1, 1, 16, 16], [1, 1, 21, 9], [3, 1, 8, 30]]; // biome-ignore format: one line
    expect(await farthest(bytes, one, sizes)).toBeLessThan(1e-5);
  });

  test("standard operators, the model card and weights under their names", () => {
    expect(new Set(file.nodes.map(({ domain }) => domain))).toEqual(new Set([""]));
    expect(file.metadata).toEqual({ model: "srcnn", options: '{"features":8}' });
    expect(file.name).toBe("srcnn");
    expect(file.opset).toBe(18);
    const names = one.parameters().map(({ attributes }) => attributes.name);
    expect([...file.constants.keys()]).toEqual(expect.arrayContaining(names));
  });

  test("import gives the network back", () => {
    const shape = [2, 1, 12, 17];
    const feeds = { input: filled(shape) };
    const imported = importOnnx(bytes, "srcnn.onnx", "srcnn");
    expect(imported.metadata.model).toBe("srcnn");
    expect(imported.weights).toEqual(weightsOf(one));
    const [ours] = reference([graphOf(one)(shape)], feeds, weightsOf(one));
    const [back] = reference(imported.build([e.input("input", shape)]), feeds, imported.weights);
    expect(distance(back!.data, ours!.data)).toBeLessThan(1e-6);
  });
});

const NETWORKS: readonly (readonly [string, number, Network])[] = [
  [
    "pixel shuffle, rectifiers and norms",
    1,
    small("shuffle", (x, p) => {
      const wide = conv2d(x, p("wide"), { out: 16, kernel: 3 });
      const y = e.leakyRelu(batchNorm(wide, p("norm")), 0.2);
      return instanceNorm(e.depthToSpace(y, 2), p("norm2"), { affine: true });
    }),
  ],
  [
    "global pooling and a gate",
    1,
    small("gate", (x, p) => {
      const share = e.sigmoid(conv2d(e.globalAveragePool(x), p("share"), { out: 4, kernel: 1 }));
      return e.mul(e.pad(x, [[0, 0], [0, 0], [2, 1], [0, 3]], { mode: "reflect" }), share); // biome-ignore format: one line
    }),
  ],
  [
    "up and down",
    2,
    small("hourglass", (x, p) => {
      const down = e.averagePool(conv2d(x, p("down"), { out: 6, kernel: 4, stride: 2, padding: 1 }), { kernel: 1 });
      const up = convTranspose2d(down, p("up"), { out: 4, kernel: 4, stride: 2, padding: 1 });
      return e.add(up, x);
    }),
  ],
  [
    "resizes by whole numbers",
    1,
    small("enlarge", (x, p) => {
      const [height, width] = [x.shape[2]! * 2, x.shape[3]! * 2];
      const [near, soft] = (["nearest", "linear"] as const).map((mode) => e.resize(x, { height, width }, { mode }));
      return conv2d(e.concat([near!, soft!], 1), p("end"), { out: 3, kernel: 3 });
    }),
  ],
  [
    "a residual over halves",
    2,
    small("halves", (x, p) => {
      const low = e.maxPool(e.prelu(x, p.weight("slope", [4], { kind: "constant", value: 0.1 })), { kernel: 2 });
      const back = e.resize(low, { height: x.shape[2]!, width: x.shape[3]! }, { mode: "nearest" });
      return e.add(x, back);
    }),
  ],
];

describe.each(NETWORKS)("%s", (_, multiple, one) => {
  const example = [1, 4, 12, 10];
  const made = exportOnnx(graphOf(one), weightsOf(one), { example });

  test("is free and equals the reference at other sizes", async () => {
    expect({ free: made.free, multiple: made.multiple }).toEqual({ free: ["N", "H", "W"], multiple });
    const sizes: Shape[] = [
      example,
      [1, 4, 12 + 3 * multiple, 10 + multiple],
      [3, 4, 12 - multiple, 10 + 4 * multiple],
    ];
    expect(await farthest(made.bytes, one, sizes)).toBeLessThan(1e-5);
    expect(readModel(made.bytes, "file").nodes.every(({ domain }) => domain === "")).toBe(true);
  });

  test("comes back by import", () => {
    const imported = importOnnx(made.bytes, "file", one.key);
    const shape = [1, 4, 12 + 2 * multiple, 10];
    const feeds = { input: filled(shape) };
    const [ours] = reference([graphOf(one)(shape)], feeds, weightsOf(one));
    const [back] = reference(imported.build([e.input("input", shape)]), feeds, imported.weights);
    expect(distance(back!.data, ours!.data)).toBeLessThan(1e-6);
  });
});

test("parameters of two networks that share a name are told apart", async () => {
  const halves = ["one", "two"].map((key) => network(srcnn, { features: 4, mapped: 2 }, key));
  const weights = initialWeights(halves, 5);
  const both = (shape: Shape) => halves.reduce((x, half) => half(x), e.input("input", shape));
  const { bytes, free } = exportOnnx(both, weights, { example: [1, 1, 16, 16] });
  expect(free).toEqual(["N", "H", "W"]);
  expect([...readModel(bytes, "file").constants.keys()]).toEqual(expect.arrayContaining(Object.keys(weights)));
  const feeds = { input: filled([2, 1, 9, 12]) };
  const [ours] = reference([both([2, 1, 9, 12])], feeds, weights);
  expect(distance((await runFile(bytes, feeds)).output!.data as Float32Array, ours!.data)).toBeLessThan(1e-5);
});

describe("sides that are not free", () => {
  test("a linear layer over pixels fixes height and width, not the samples", async () => {
    const one = small("flat", (x, p) => linear(e.reshape(x, [x.shape[0]!, -1]), p("end"), { out: 3 }), [1, 2, 4, 4]);
    const made = exportOnnx(graphOf(one), weightsOf(one), { example: [2, 2, 4, 4] });
    expect(readModel(made.bytes, "file").inputs[0]!.shape!.slice(1)).toEqual([2, 4, 4]);
    expect(made.free).toEqual(["N"]);
    expect(await farthest(made.bytes, one, [[2, 2, 4, 4], [1, 2, 4, 4], [5, 2, 4, 4]])).toBeLessThan(1e-5); // biome-ignore format: one line
  });

  test("a classifier takes pictures of its own size: pooling rounds a few more pixels away", async () => {
    const one = network(classifier);
    const made = exportOnnx(graphOf(one), weightsOf(one), { example: [1, 1, 28, 28] });
    expect(made.free).toEqual(["N"]);
    const file = readModel(made.bytes, "file");
    expect(file.inputs[0]!.shape).toEqual([null, 1, 28, 28]);
    expect(file.outputs[0]!.shape).toEqual([null, 10]);
    expect(await farthest(made.bytes, one, [[1, 1, 28, 28], [5, 1, 28, 28]])).toBeLessThan(1e-4); // biome-ignore format: one line
  });

  test("pooled and flattened: height and width would run into the samples", async () => {
    const one = small("flat", (x) => e.reshape(e.maxPool(x, { kernel: 8 }), [x.shape[0]!, -1]));
    const made = exportOnnx(graphOf(one), {}, { example: [1, 2, 16, 16] });
    expect(made.free).toEqual(["N"]);
    expect(await farthest(made.bytes, one, [[1, 2, 16, 16], [3, 2, 16, 16]])).toBeLessThan(1e-5); // biome-ignore format: one line
  });

  test("a resize to one size lets a network of fixed size take others", async () => {
    const one = network(lenet);
    const made = exportOnnx(graphOf(one), weightsOf(one), { example: [1, 1, 28, 28] });
    expect(made.free).toEqual(["H", "W"]);
    expect(readModel(made.bytes, "file").outputs[0]!.shape).toEqual([1, 10]);
    expect(await farthest(made.bytes, one, [[1, 1, 28, 28], [1, 1, 64, 40], [1, 1, 9, 100]])).toBeLessThan(1e-4); // biome-ignore format: one line
  });

  test("a weight of another shape is named", () => {
    const [narrow, wide] = [network(srcnn, { features: 4, mapped: 2 }), network(srcnn, { features: 8, mapped: 2 })];
    expect(() => exportOnnx(graphOf(narrow), weightsOf(wide), { example: [1, 1, 16, 16] })).toThrow(
      "srcnn/extract.bias: expected a weight of [4], got [8]",
    );
  });

  test("two sides that meet in one shape are fixed", () => {
    const one = small("tokens", (x) => e.transpose(e.reshape(x, [x.shape[0]!, 4, -1]), [0, 2, 1]));
    expect(exportOnnx(graphOf(one), {}, { example: [2, 4, 4, 6] }).free).toEqual(["N"]);
    const one2 = exportOnnx(graphOf(one), {}, { example: [2, 4, 4, 6], freeSides: ["H", "W"] });
    expect(one2.free).toEqual(["H", "W"]);
    expect(readModel(one2.bytes, "file").outputs[0]!.shape).toEqual([2, null, 4]);
  });

  test("a resize to a fixed size leaves the samples free", async () => {
    const one = small("fixed", (x) => e.resize(x, { height: 7, width: 9 }, { mode: "cubic" }));
    const made = exportOnnx(graphOf(one), {}, { example: [1, 2, 4, 5] });
    expect(made.free).toEqual(["N"]);
    expect(readModel(made.bytes, "file").inputs[0]!.shape).toEqual([null, 2, 4, 5]);
    expect(await farthest(made.bytes, one, [[1, 2, 4, 5], [3, 2, 4, 5]])).toBeLessThan(1e-5); // biome-ignore format: one line
  });

  test("only the sides asked for are freed", () => {
    const one = network(srcnn, { features: 4, mapped: 2 });
    const made = exportOnnx(graphOf(one), weightsOf(one), { example: [1, 1, 16, 16], freeSides: ["H"] });
    expect(made.free).toEqual(["H"]);
    expect(readModel(made.bytes, "file").inputs[0]!.shape).toEqual([1, 1, null, 16]);
  });

  test("a missing weight is named", () => {
    const one = network(srcnn, { features: 4, mapped: 2 });
    expect(() => exportOnnx(graphOf(one), {}, { example: [1, 1, 16, 16] })).toThrow(
      /srcnn\/extract.bias: expected a value/,
    );
  });
});
