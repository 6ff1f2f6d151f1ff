import { describe, expect, test } from "vitest";
import { gradient } from "../../../src/engine/gradients/gradient.ts";
import type { Node } from "../../../src/engine/graph/node.ts";
import { lower } from "../../../src/engine/onnx/write.ts";
import * as o from "../../../src/engine/ops/index.ts";
import { evaluate } from "../../../src/engine/runtime/evaluate.ts";

const x = (...shape: number[]): Node => o.input("x", shape);

/** Output and input gradient (of the sum) of `f` at the given numbers. */
function at(f: (x: Node) => Node, shape: readonly number[], numbers: readonly number[]): [number[], number[]] {
  const leaf = x(...shape);
  const y = f(leaf);
  const [dx] = gradient(o.sum(y), [leaf]);
  const values = new Map([[leaf, { shape, data: Float64Array.from(numbers) }]]);
  const [value, slope] = evaluate([y, dx!], values);
  return [Array.from(value!.data), Array.from(slope!.data)];
}

describe("where the derivative has no single value, PyTorch's is taken", () => {
  test("max splits among ties", () => {
    expect(at((v) => o.max(v), [4], [1, 3, 3, 0])).toEqual([[3], [0, 0.5, 0.5, 0]]);
  });
  test("maxPool gives the first of equal ones everything", () => {
    expect(at((v) => o.maxPool(v, { kernel: 2 }), [1, 1, 2, 4], [0, 0, 1, 2, 0, 0, 2, 2])).toEqual([
      [0, 2],
      [1, 0, 0, 1, 0, 0, 0, 0],
    ]);
    const shared = at((v) => o.maxPool(v, { kernel: 3, stride: 2, padding: 1 }), [1, 1, 3, 3], [0, 0, 0, 0, 5, 0, 0, 0, 0]); // biome-ignore format: one line
    expect(shared).toEqual([
      [5, 5, 5, 5],
      [0, 0, 0, 0, 4, 0, 0, 0, 0],
    ]);
  });
  test("rectifiers are flat at zero, clip passes at its bounds", () => {
    expect(at(o.relu, [3], [-1, 0, 2])).toEqual([
      [0, 0, 2],
      [0, 0, 1],
    ]);
    expect(at((v) => o.leakyRelu(v, 0.2), [2], [0, 1])[1]).toEqual([0.2, 1]);
    expect(at((v) => o.clip(v, -1, 1), [4], [-1, 1, 2, -3])[1]).toEqual([1, 1, 0, 0]);
  });
});

test("resizing a constant picture changes nothing but its size", () => {
  for (const mode of ["nearest", "linear", "cubic"] as const)
    for (const antialias of mode === "nearest" ? [false] : [false, true])
      for (const [height, width] of [
        [3, 11],
        [14, 2],
        [5, 5],
      ] as const) {
        // biome-ignore format: one line
        const [y] = at((v) => o.resize(v, { height, width }, { mode, antialias }), [1, 1, 5, 5], Array(25).fill(0.7));
        expect(y.length).toBe(height * width);
        for (const value of y) expect(value).toBeCloseTo(0.7, 12);
      }
});

test("slices count from the end as numpy's do, and whole ones are no work", () => {
  expect(at((v) => o.slice(v, [-3], [-1]), [5], [0, 1, 2, 3, 4])).toEqual([
    [2, 3],
    [0, 0, 1, 1, 0],
  ]);
  expect(at((v) => o.slice(v, [1], [5], [2]), [5], [0, 1, 2, 3, 4])[0]).toEqual([1, 3]);
  const leaf = x(2, 3);
  expect(o.slice(leaf, [0], [2])).toBe(leaf);
  expect(o.reshape(leaf, [2, -1])).toBe(leaf);
  expect(o.sumTo(leaf, [2, 3])).toBe(leaf);
  expect(o.pad(leaf, [[0, 0], [0, 0]])).toBe(leaf); // biome-ignore format: one line
});

test("a product with one matrix for the whole batch is a single product, in both directions", () => {
  const [a, b] = [x(2, 5, 3), o.input("b", [3, 4])];
  const y = o.matmul(a, b);
  const [, db] = gradient(y, [a, b], o.input("dy", y.shape));
  expect(y.shape).toEqual([2, 5, 4]);
  expect(db!.op.name).toBe("matmul");
});

test("model files hold standard ops only, and sides that do not matter are not written into them", () => {
  const picture = x(1, 8, 6, 4);
  const cropped = o.slice(o.depthToSpace(o.spaceToDepth(picture, 2), 2), [0, 0, 1, 1], [1, 8, 6, 4]);
  const larger = o.resize(o.mul(cropped, o.globalAveragePool(cropped)), { height: 10, width: 6 }, { mode: "linear" });
  const graph = lower({ inputs: [picture], outputs: { y: o.pad(larger, [[0, 0], [0, 0], [-1, -1], [-1, -1]]) } }, "file"); // biome-ignore format: one line
  expect(new Set(graph.nodes.map(({ domain }) => domain))).toEqual(new Set([""]));
  expect(graph.nodes.map(({ op }) => op)).toMatchInlineSnapshot(`
    [
      "SpaceToDepth",
      "Gather",
      "DepthToSpace",
      "Slice",
      "ReduceMean",
      "Mul",
      "Resize",
      "Slice",
    ]
  `);
});

describe("errors name the op, the rule and the shapes", () => {
  test.each<[string, () => unknown, string]>([
    ["reshape", () => o.reshape(x(2, 3), [4]), "reshape: the elements do not fill [4] ([2, 3])."],
    ["reshape −1", () => o.reshape(x(2, 3), [4, -1]), "reshape: the elements do not fill [4, 1.5] ([2, 3])."],
    ["transpose", () => o.transpose(x(2, 3), [0, 0]), "transpose: [0, 0] is no order of the axes ([2, 3])."],
    ["concat", () => o.concat([x(2, 3), x(3, 3)], 1), "concat: shapes differ in more than axis 1 ([2, 3], [3, 3])."],
    ["sum", () => o.sum(x(2, 3), [2]), "sum: there is no axis 2 ([2, 3])."],
    ["expand", () => o.expand(x(2, 3), [2, 4]), "expand: does not expand to [2, 4] ([2, 3])."],
    ["matmul", () => o.matmul(x(2, 3), x(2, 3)), "matmul: 3 columns meet 2 rows ([2, 3], [2, 3])."],
    ["attention heads", () => o.attention(x(1, 6, 4), x(1, 6, 4), x(1, 6, 4), { heads: 4 }), "attention: the channels are no multiple of 4 heads ([1, 6, 4], [1, 6, 4], [1, 6, 4])."], // biome-ignore format: one line
    ["attention keys", () => o.attention(x(1, 6, 4), x(1, 3, 4), x(1, 3, 4)), "attention: queries and keys differ in their channels ([1, 6, 4], [1, 3, 4], [1, 3, 4])."], // biome-ignore format: one line
    ["attention values", () => o.attention(x(1, 6, 4), x(1, 6, 4), x(1, 6, 5)), "attention: keys and values differ in their positions ([1, 6, 4], [1, 6, 4], [1, 6, 5])."], // biome-ignore format: one line
    ["attention batch", () => o.attention(x(1, 6, 4), x(2, 6, 4), x(2, 6, 4)), "attention: expected [N, channels, positions] three times, of one N ([1, 6, 4], [2, 6, 4], [2, 6, 4])."], // biome-ignore format: one line
    ["slice", () => o.slice(x(4), [3], [2]), "slice: [3] to [2] holds nothing ([4])."],
    ["pad", () => o.pad(x(3), [[3, 0]], { mode: "reflect" }), "pad: [3, 0] is out of reach for reflect ([3])."],
    [
      "depthToSpace",
      () => o.depthToSpace(x(1, 6, 2, 2), 2),
      "depthToSpace: channels are no multiple of 2² ([1, 6, 2, 2]).",
    ],
    [
      "maxPool",
      () => o.maxPool(x(1, 1, 2, 2), { kernel: 3 }),
      "maxPool: the picture is smaller than the window ([1, 1, 2, 2]).",
    ],
    ["resize", () => o.resize(x(1, 1, 2, 2), { height: 0, width: 2 }, { mode: "linear" }), "resize: expected a height and width in pixels, got 0 × 2 ([1, 1, 2, 2])."], // biome-ignore format: one line
    ["gather", () => o.gather(x(2, 3), x(2)), "gather: expected int64 indices, got float32 ([2, 3], [2])."],
    ["leakyRelu", () => o.leakyRelu(x(2), 2), "leakyRelu: expected a slope from 0 to 1, got 2 ([2])."],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});
