import type { Tensors } from "../engine/index.ts";

/** Dense layers one after the other. */
export interface Stack {
  /** Numbers that go in, that each layer gives, and that come out. */
  readonly widths: readonly number[];
  readonly weights: Tensors;
}

/**
 * The layers of a PyTorch `nn.Sequential` of `Linear`s with one activation between each two ("0.weight", "0.bias",
 * "2.weight" …), renamed; undefined when the tensors are not such.
 */
export function stackOf(weights: Tensors, rename: (at: number, isLast: boolean) => string): Stack | undefined {
  const count = Object.keys(weights).length / 2;
  const layers = Array.from({ length: Math.ceil(count) }, (_, at) =>
    ["weight", "bias"].map((part) => [part, weights[`${2 * at}.${part}`]!] as const),
  );
  if (count < 2 || !Number.isInteger(count) || layers.flat().some(([, value]) => !value)) return undefined;
  const shapes = layers.map(([weight]) => weight![1].shape);
  const widths = [shapes[0]![1] ?? 0, ...shapes.map(([out]) => out ?? 0)];
  if (!shapes.every((shape, at) => shape.length === 2 && shape[1] === widths[at])) return undefined;
  const renamed = layers.flatMap((parts, at) =>
    parts.map(([part, value]) => [`${rename(at, at === count - 1)}.${part}`, value] as const),
  );
  return { widths, weights: Object.fromEntries(renamed) };
}

/** The square picture of so many numbers, gray or RGB. */
export function squareOf(numbers: number): { readonly size: number; readonly channels: 1 | 3 } | undefined {
  const channels = ([1, 3] as const).find((planes) => Number.isInteger(Math.sqrt(numbers / planes)));
  const size = Math.sqrt(numbers / (channels ?? 1));
  return channels && size >= 8 && size <= 256 ? { size, channels } : undefined;
}
