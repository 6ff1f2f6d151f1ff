import { describe, expect, test } from "vitest";
import type { Node, Op, Receptive } from "../../../src/engine/graph/node.ts";
import { receptiveField } from "../../../src/engine/graph/receptiveField.ts";
import * as e from "../../../src/engine/index.ts";
import { ops } from "../../../src/engine/ops/index.ts";
import { depthToSpace, spaceToDepth } from "../../../src/engine/ops/pixelShuffle.ts";
import { evaluate } from "../../../src/engine/runtime/evaluate.ts";
import { type Shape, sizeOf } from "../../../src/tensor/tensor.ts";
import { caseOf, seeded } from "../support.ts";

/** Where a flat place lies. */
const indexOf = (flat: number, shape: Shape): number[] =>
  shape.map((side, axis) => Math.floor(flat / sizeOf(shape.slice(axis + 1))) % side);

/** Where a place outside a picture comes from. */
function mirrored(place: number, side: number, mode: string | undefined): number {
  if (mode === "edge") return Math.min(Math.max(place, 0), side - 1);
  if (mode !== "reflect") return place;
  return place < 0 ? -place : place >= side ? 2 * (side - 1) - place : place;
}

/** Places of the output that a change of one number moves. */
function moved(output: Node, values: ReadonlyMap<Node, { shape: Shape; data: Float64Array }>, leaf: Node, at: number) {
  const found = new Set<number>();
  const before = evaluate([output], values)[0]!.data;
  for (const by of [0.3, 50, -50]) {
    const { shape, data } = values.get(leaf)!;
    const changed = data.slice();
    changed[at] = leaf.dtype === "bool" ? 1 - changed[at]! : changed[at]! + by;
    const after = evaluate([output], new Map(values).set(leaf, { shape, data: changed }))[0]!.data;
    for (let place = 0; place < after.length; place++) if (after[place] !== before[place]) found.add(place);
  }
  return [...found];
}

interface Pair {
  readonly from: number[];
  readonly to: number[];
}

/** Which numbers of an input move which numbers of the output. */
const pairsOf = (output: Node, values: Parameters<typeof moved>[1], leaf: Node): Pair[] =>
  Array.from(values.get(leaf)!.data.keys()).flatMap((at) =>
    moved(output, values, leaf, at).map((to) => ({ from: indexOf(at, leaf.shape), to: indexOf(to, output.shape) })),
  );

/** Does a row's claim hold for a number that was seen to move another? */
function holds(claim: Receptive, { from, to }: Pair, axis: number, leaf: Node, mode?: string): boolean {
  if (typeof claim === "string") return claim === "all";
  const middle = claim.stride * to[claim.axis]!;
  const [first, last] = [Math.ceil(middle - claim.before - 1e-9), Math.floor(middle + claim.after + 1e-9)];
  for (let place = first; place <= last; place++)
    if (mirrored(place, leaf.shape[axis]!, mode) === from[axis]) return true;
  return false;
}

const claimed = (op: Op, output: Node, input: number, axis: number): Receptive =>
  op.receptive?.(output, input, axis) ?? "all";

describe("rows", () => {
  test("those that say nothing are gradients that no network's forward pass holds", () => {
    const silent = ops.filter((op) => !op.receptive && op.examples.length > 0).map(({ name }) => name);
    expect(silent).toEqual("padGradient scatterSum convolutionWeight averagePoolGradient resizeGradient".split(" "));
  });

  test.each(ops.filter((op) => op.receptive))("$name: no number is moved from outside its field", (op) => {
    for (const example of op.examples) {
      const { output, leaves, values, title } = caseOf(op, example, "");
      for (const [input, leaf] of leaves.slice(0, output.inputs.length).entries()) {
        if (leaf.dtype === "int64" || sizeOf(leaf.shape) > 150) continue;
        const pairs = pairsOf(output, values, leaf);
        for (const axis of leaf.shape.keys()) {
          const claim = claimed(op, output, input, axis);
          const mode = (example.attributes as { mode?: string }).mode;
          const wrong = pairs.filter((pair) => !holds(claim, pair, axis, leaf, op.name === "pad" ? mode : undefined));
          expect(wrong, `${title}: input ${input}, axis ${axis}`).toEqual([]);
        }
      }
    }
  });
});

type Build = (x: Node) => Node;

const weights = (...shape: number[]): Node => {
  const random = seeded(sizeOf(shape));
  return e.constant(
    Array.from({ length: sizeOf(shape) }, () => 0.2 + random()),
    shape,
  );
};

/** A convolution with seeded weights, of one channel unless told. */
const conv = (x: Node, kernel: number, rest: e.ConvolutionOptions = {}, out = 1): Node =>
  e.conv2d(x, weights(out, x.shape[1]!, kernel, kernel), { padding: Math.floor(kernel / 2), ...rest });

/** How far the pixels of a picture are seen to reach: each of a diagonal is changed, which has all phases of rows and columns. */
function measured(build: Build, side: number): number {
  const leaf = e.input("picture", [1, 1, side, side]);
  const output = build(leaf);
  const random = seeded(3);
  const data = Float64Array.from({ length: side * side }, random);
  const steps = [2, 3].map((axis) => side / output.shape[axis]!);
  let radius = 0;
  for (let place = 0; place < side; place++)
    for (const to of moved(output, new Map([[leaf, { shape: leaf.shape, data }]]), leaf, place * (side + 1))) {
      const [, , ...index] = indexOf(to, output.shape);
      // An output pixel larger than those of the input covers some of them.
      index.forEach((at, axis) => {
        const first = Math.floor(at * steps[axis]! + 1e-9);
        const last = Math.max(first, Math.ceil((at + 1) * steps[axis]! - 1 - 1e-9));
        radius = Math.max(radius, first - place, place - last);
      });
    }
  return radius;
}

const field = (build: Build, side = 24) => {
  const leaf = e.input("picture", [1, 1, side, side]);
  return receptiveField(build(leaf), leaf);
};

const resized =
  (factor: number, mode: e.ResizeMode, antialias = false): Build =>
  (x) => {
    const [height, width] = [x.shape[2]! * factor, x.shape[3]! * factor];
    return e.resize(x, { height, width }, { mode, antialias });
  };

const upBy = (x: Node, stride: number, kernel: number, padding: number): Node =>
  e.convTranspose2d(x, weights(1, 1, kernel, kernel), { stride, padding });

const mirror = (x: Node, border: number): Node =>
  e.pad(x, [[0, 0], [0, 0], [border, border], [border, border]], { mode: "reflect" }); // biome-ignore format: one line

/** Networks and parts of networks, with the radius that follows from their kernels by hand. */
const NETWORKS: readonly (readonly [name: string, radius: number, grid: number, build: Build])[] = [
  ["one number for all", 0, 1, (x) => e.square(e.relu(x))],
  ["5×5", 2, 1, (x) => conv(x, 5)],
  ["3×3, dilated by 3", 3, 1, (x) => conv(x, 3, { dilation: 3, padding: 3 })],
  ["2×2 with its zeros before", 1, 1, (x) => conv(x, 2, { padding: [1, 1, 0, 0] })],
  ["3×3 by two", 1, 2, (x) => conv(x, 3, { stride: 2, padding: 1 })],
  ["largest of 3×3", 1, 1, (x) => e.maxPool(x, { kernel: 3, stride: 1, padding: 1 })],
  ["mean of 4×4 blocks", 0, 4, (x) => e.averagePool(x, { kernel: 4 })],
  ["transposed 4×4 by two", 1, 1, (x) => upBy(x, 2, 4, 1)],
  ["transposed 9×9 by three", 1, 1, (x) => upBy(x, 3, 9, 3)],
  ["pixel shuffle after 3×3", 1, 1, (x) => depthToSpace(conv(x, 3, {}, 9), 3)],
  ["unshuffle, 1×1, shuffle", 1, 2, (x) => depthToSpace(conv(spaceToDepth(x, 2), 1, {}, 4), 2)],
  ["nearest ×3", 0, 1, resized(3, "nearest")],
  ["linear ×2", 1, 1, resized(2, "linear")],
  ["cubic ×2", 2, 1, resized(2, "cubic")],
  ["linear ÷2, antialiased", 1, 2, resized(0.5, "linear", true)],
  ["cubic ÷2, antialiased", 3, 2, resized(0.5, "cubic", true)],
  ["cropped", 2, 1, (x) => e.slice(conv(mirror(x, 2), 5, { padding: 2 }), [0, 0, 2, 2], [1, 1, -2, -2])],
  ["SRCNN 9-1-5", 6, 1, (x) => conv(e.relu(conv(e.relu(conv(x, 9, {}, 2)), 1, {}, 2)), 5)],
  [
    "ESRGAN's end: nearest ×2 and 3×3, twice",
    2,
    1,
    (x) => {
      const twice = resized(2, "nearest");
      return conv(e.leakyRelu(conv(twice(conv(twice(conv(x, 3)), 3)), 3), 0.2), 3);
    },
  ],
  ["two convolutions with mirrored borders", 4, 1, (x) => conv(mirror(e.relu(conv(mirror(x, 2), 5, { padding: 0 })), 2), 5, { padding: 0 })], // biome-ignore format: one line
  ["down by two, 3×3, up by two", 5, 2, (x) => upBy(conv(conv(x, 4, { stride: 2, padding: 1 }), 3), 2, 4, 1)],
  [
    "a residual block that is marked",
    2,
    1,
    (x) =>
      e.add(
        x,
        e.block([x], (y) => conv(e.relu(conv(y, 3)), 3)),
      ),
  ],
  [
    "attention over channels",
    1,
    1,
    (x) => {
      const parts = conv(x, 3, {}, 3);
      return e.sum(e.mul(e.softmax(parts, 1), e.div(parts, e.mean(parts, [1], true))), [1], true);
    },
  ],
  [
    "a matrix over channels, channels last",
    1,
    1,
    (x) => {
      const last = e.transpose(conv(x, 3, {}, 3), [0, 2, 3, 1]);
      const matrix = e.reshape(weights(3, 1), [1, 1, 3, 1]);
      return e.transpose(e.matmul(last, matrix), [0, 3, 1, 2]);
    },
  ],
  ["pictures that wait for one another", 1, 1, (x) => e.after(conv(x, 3), e.mean(x))],
];

describe("networks", () => {
  test.each(NETWORKS)("%s: radius %i, as a changed pixel shows", (_, radius, grid, build) => {
    expect(field(build)).toMatchObject({ radius, grid });
    expect(measured(build, 24)).toBeLessThanOrEqual(radius);
  });

  const tight = NETWORKS.filter(([name]) => !/shuffle, 1×1/.test(name));
  test.each(tight)("%s: no less than radius %i does", (_, radius, __, build) => {
    expect(measured(build, 24)).toBe(radius);
  });

  test.each<readonly [string, Build]>([
    ["a mean over the picture", (x) => e.mul(x, e.sigmoid(e.globalAveragePool(x)))],
    ["softmax over rows", (x) => e.softmax(x, 2)],
    ["attention over pixels", (x) => e.matmul(x, x, { transposeB: true })],
    ["a flattened picture", (x) => e.reshape(e.reshape(x, [1, 1, -1]), x.shape)],
    ["a picture turned round", (x) => e.flip(x, [3])],
    ["rows and columns exchanged, and added", (x) => e.add(x, e.transpose(x, [0, 1, 3, 2]))],
    ["no picture at all", () => e.constant([0], [1, 1, 24, 24])],
  ])("%s has no finite radius", (_, build) => {
    expect(field(build)).toMatchObject({ radius: Infinity, grid: Infinity });
  });

  test("steps: input pixels from one output pixel to the next", () => {
    expect(field(resized(2, "nearest")).step).toEqual([0.5, 0.5]);
    expect(field((x) => conv(x, 3, { stride: [1, 2] })).step).toEqual([1, 2]);
  });
});
