import { expect, test } from "vitest";
import { evaluate, input, inputsOf, type Node } from "../../src/engine/index.ts";
import { diffAugment } from "../../src/nn/augment.ts";
import { seeded } from "../engine/support.ts";

const [count, channels, side] = [5, 3, 16];
const area = side * side;
const kinds = ["brightness", "saturation", "contrast", "down", "right", "hole row", "hole column"] as const;
type Draws = Record<(typeof kinds)[number], number>;

/** The same by plain loops over one picture [C, S, S] in 0…1, from the paper's description. */
function byHand(picture: readonly number[], u: Draws): number[] {
  let y = picture.map((value) => 2 * value - 1 + u.brightness - 0.5);
  const mean = (values: number[]): number => values.reduce((a, b) => a + b) / values.length;
  const gray = Array.from({ length: area }, (_, p) => mean([y[p]!, y[area + p]!, y[2 * area + p]!]));
  y = y.map((value, i) => (value - gray[i % area]!) * 2 * u.saturation + gray[i % area]!);
  const level = mean(y);
  y = y.map((value) => (value - level) * (u.contrast + 0.5) + level);
  const most = side / 8; // pixels, either way, all equally likely
  const pixels = (draw: number): number => Math.floor(draw * (2 * most + 1)) - most;
  const [down, right] = [pixels(u.down), pixels(u.right)];
  const [row, column] = [u["hole row"] * side, u["hole column"] * side];
  return Array.from({ length: channels * area }, (_, i) => {
    const [c, h, w] = [Math.floor(i / area), Math.floor((i % area) / side), i % side];
    const [from, at] = [h + down, w - right];
    const isInside = from >= 0 && from < side && at >= 0 && at < side;
    const isHole = Math.abs(h + 0.5 - row) < side / 4 && Math.abs(w + 0.5 - column) < side / 4;
    const value = isInside && !isHole ? y[c * area + from * side + at]! : 0;
    return value / 2 + 0.5;
  });
}

test("every picture is colored, moved and given a hole by numbers of its own", () => {
  const random = seeded(3);
  const x = input("x", [count, channels, side, side]);
  const augmented = diffAugment(x, "real");
  const values = new Map<Node, { shape: readonly number[]; data: Float64Array }>();
  for (const leaf of inputsOf([augmented]))
    values.set(leaf, { shape: leaf.shape, data: Float64Array.from({ length: leaf.shape.reduce((a, b) => a * b) }, random) }); // biome-ignore format: one line
  const made = evaluate([augmented], values)[0]!.data;
  const pictures = values.get(x)!.data;
  const drawn = (kind: string, n: number): number =>
    [...values].find(([leaf]) => (leaf.attributes as { name: string }).name === `real ${kind}`)![1].data[n]!;
  expect(values.size).toBe(1 + kinds.length);
  for (let n = 0; n < count; n++) {
    const draws = Object.fromEntries(kinds.map((kind) => [kind, drawn(kind, n)])) as Draws;
    const expected = byHand([...pictures.slice(n * channels * area, (n + 1) * channels * area)], draws);
    const own = made.slice(n * channels * area, (n + 1) * channels * area);
    expect(Math.max(...expected.map((value, i) => Math.abs(value - own[i]!))), `picture ${n}`).toBeLessThan(1e-12);
  }
});
