import { expect, test } from "vitest";
import { z } from "zod";
import { compileFunction, input, type Node, referenceRuntime, type Tensors } from "../../src/engine/index.ts";
import { zeros } from "../../src/nn/initializers.ts";
import { conv2d, convTranspose2d, dropout, linear } from "../../src/nn/layers.ts";
import {
  bindWeights,
  defineModel,
  initialWeights,
  type Network,
  network,
  type Parameters,
  parameterCount,
} from "../../src/nn/model.ts";
import { spectralNorm, weightNorm } from "../../src/nn/norms.ts";
import { random } from "../../src/tensor/random.ts";
import { sizeOf, type Tensor, tensor } from "../../src/tensor/tensor.ts";

const modelOf = (build: (x: Node, p: Parameters) => Node, shape = [1, 2, 8, 8]): Network =>
  network(defineModel({ name: "net", summary: "", paper: "", options: z.object({}), input: () => shape, build }));

const normals = (shape: readonly number[], seed: number): Tensor => {
  const source = random(seed);
  return tensor(Float32Array.from({ length: sizeOf(shape) }, source.normal), shape);
};

/** The network's output on the reference, for the feeds. */
async function outputOf(net: Network, feeds: Tensors, weights: Tensors = {}, training = false): Promise<Float32Array> {
  const x = input("x", feeds.x!.shape);
  const compiled = await compileFunction({ y: net(x, { training }) }, { runtime: referenceRuntime(), weights });
  return (await compiled.run(feeds)).y!.data as Float32Array;
}

test("dropout sets numbers to zero where its noise is below the probability, and scales the others", async () => {
  const net = modelOf((x, p) => dropout(x, p("drop"), { probability: 0.25 }), [8]);
  const x = tensor([1, 2, 3, 4, 5, 6, 7, 8], [8]);
  const noise = tensor([0, 0.1, 0.24, 0.25, 0.3, 0.5, 0.9, 0.99], [8]);
  const y = await outputOf(net, { x, "net/drop.dropout#0": noise }, {}, true);
  expect([...y]).toEqual([0, 0, 0, 4, 5, 6, 7, 8].map((value) => expect.closeTo(value / 0.75, 5)));
});

test("dropout outside of training, or of probability 0, is its input itself", () => {
  const x = input("x", [8]);
  expect(modelOf((x, p) => dropout(x, p))(x)).toBe(x);
  expect(modelOf((x, p) => dropout(x, p, { probability: 0 }))(x, { training: true })).toBe(x);
});

test("weight norm gives every filter the length g", async () => {
  const shape = [4, 3, 2, 2];
  const net = modelOf((_, p) => weightNorm(p.weight("v", shape, zeros), p("norm")));
  const g = tensor([1, 2, 0.5, 3], [4]);
  const [v, x] = [normals(shape, 1), tensor([0], [1])];
  const w = await outputOf(net, { x }, { "net/v": v, "net/norm.g": g });
  for (let o = 0; o < 4; o++) {
    const [filter, direction] = [w, v.data as Float32Array].map((all) => [...all.subarray(o * 12, (o + 1) * 12)]);
    const length = Math.hypot(...direction!);
    expect(filter).toEqual(direction!.map((value) => expect.closeTo((g.data[o] as number) * value / length, 5))); // biome-ignore format: one line
  }
});

test("spectral norm brings the largest singular value to one", async () => {
  const [rows, columns] = [5, 12];
  const net = modelOf((_, p) => spectralNorm(p.weight("w", [rows, 3, 2, 2], zeros), p("norm")));
  const weights = { "net/w": normals([rows, 3, 2, 2], 2), "net/norm.u": normals([rows], 3) };
  let u = weights["net/norm.u"];
  for (let round = 0; round < 60; round++) {
    // What training does: the statistic u follows one power iteration a pass.
    net(input("x", [1]), { training: true });
    const carried = net.carried.at(-1)!;
    const toward = carried.next(carried.parameter);
    const compiled = await compileFunction({ toward }, { runtime: referenceRuntime(), weights: { ...weights, "net/norm.u": u } }); // biome-ignore format: one line
    u = (await compiled.run({})).toward!;
  }
  const w = await outputOf(net, { x: tensor([0], [1]) }, { ...weights, "net/norm.u": u });
  expect(largestSingularValue([...w], rows, columns)).toBeCloseTo(1, 5);
});

/** The root of the largest eigenvalue of A Aᵀ, by Jacobi rotations. */
function largestSingularValue(a: readonly number[], rows: number, columns: number): number {
  const m = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: rows }, (_, j) =>
      Array.from({ length: columns }, (_, k) => a[i * columns + k]! * a[j * columns + k]!).reduce((s, v) => s + v),
    ),
  );
  for (let sweep = 0; sweep < 30; sweep++)
    for (let p = 0; p < rows; p++)
      for (let q = p + 1; q < rows; q++) {
        const angle = 0.5 * Math.atan2(2 * m[p]![q]!, m[q]![q]! - m[p]![p]!);
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (const row of m) [row[p], row[q]] = [c * row[p]! - s * row[q]!, s * row[p]! + c * row[q]!];
        const [top, bottom] = [[...m[p]!], [...m[q]!]];
        for (let k = 0; k < rows; k++) {
          m[p]![k] = c * top[k]! - s * bottom[k]!;
          m[q]![k] = s * top[k]! + c * bottom[k]!;
        }
      }
  return Math.sqrt(Math.max(...m.map((row, i) => row[i]!)));
}

test('"same" padding keeps the size for every odd kernel and dilation', () => {
  for (const [kernel, dilation] of [[1, 1], [3, 1], [5, 2], [9, 1]] as const) // biome-ignore format: one line
    expect(modelOf((x, p) => conv2d(x, p, { out: 4, kernel, dilation }))(input("x", [1, 2, 8, 9])).shape).toEqual([
      1, 4, 8, 9,
    ]);
});

test("parameters: names, shapes, count, and starts within PyTorch's bounds", () => {
  const net = modelOf((x, p) => {
    const y = conv2d(x, p("a"), { out: 4, kernel: 3, groups: 2, bias: false });
    return convTranspose2d(y, p("b")("0"), { out: 3, kernel: [4, 2], stride: 2 });
  });
  const shapes = net.parameters().map(({ attributes: { name }, shape }) => [name, shape]);
  expect(shapes).toEqual([
    ["a.weight", [4, 1, 3, 3]],
    ["b.0.weight", [4, 3, 4, 2]],
    ["b.0.bias", [3]],
  ]);
  expect(parameterCount(net)).toBe(36 + 96 + 3);
  const weights = initialWeights([net], 5);
  const most = (key: string): number => Math.max(...(weights[key]!.data as Float32Array).map(Math.abs));
  expect(most("net/a.weight")).toBeLessThanOrEqual(1 / 3);
  expect(most("net/a.weight")).toBeGreaterThan(0.25);
  expect(most("net/b.0.weight")).toBeLessThanOrEqual(1 / Math.sqrt(24));
});

test("two calls share their weights; a call of another shape is refused with its path", () => {
  const net = modelOf((x, p) => linear(x, p("head"), { out: 2 }), [1, 4]);
  net(input("x", [3, 4]));
  net(input("z", [7, 4]));
  expect(net.parameters().length).toBe(2);
  expect(() => net(input("x", [3, 5]))).toThrow(
    "net › head.weight: expected the shape [2, 4] of the first call, got [2, 5].",
  );
});

test("first weights depend on seed and key, not on the order of networks", () => {
  const net = (key: string): Network =>
    network(
      defineModel({
        name: "net",
        summary: "",
        paper: "",
        options: z.object({}),
        input: () => [1, 4],
        build: (x, p) => linear(x, p, { out: 2 }),
      }),
      {},
      key,
    );
  expect(initialWeights([net("a"), net("b")], 1)).toEqual(initialWeights([net("b"), net("a")], 1));
  expect(initialWeights([net("a")], 1)["a/weight"]).not.toEqual(initialWeights([net("b")], 1)["b/weight"]);
});

test("bindWeights names what is missing, misshapen or too much", () => {
  const net = modelOf((x, p) => linear(x, p, { out: 2 }), [1, 4]);
  const [weight, bias] = [normals([2, 4], 1), normals([2], 2)];
  expect(Object.keys(bindWeights(net, { weight, bias }, "a.safetensors"))).toEqual(["net/weight", "net/bias"]);
  expect(() => bindWeights(net, { weight }, "a.safetensors")).toThrow(
    "a.safetensors: expected net weights with bias [2], got none.",
  );
  expect(() => bindWeights(net, { weight: normals([4, 2], 1), bias }, "a.safetensors")).toThrow(
    "a.safetensors: expected net weights with weight [2, 4], got [4, 2].",
  );
  expect(() => bindWeights(net, { weight, bias, gain: bias }, "a.safetensors")).toThrow(
    "a.safetensors: expected weights of net alone, got gain too.",
  );
});
