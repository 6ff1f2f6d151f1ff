import type { Tensors } from "../../src/engine/index.ts";
import { makePicture, type Picture } from "../../src/image/picture.ts";
import { floats, type Tensor } from "../../src/tensor/tensor.ts";

/** A pixel of a made half: its column, its row, its pair; the other half holds the opposites. */
export const pixelOf = (half: "a" | "b", x: number, y: number, pair: number): readonly number[] =>
  [10 * x, 10 * y, pair].map((value) => (half === "a" ? value : 255 - value));

/** Pair `pair` side by side, each half side × side. */
export function sideBySide(side: number, pair: number): Picture {
  const data = new Uint8Array(2 * side * side * 3);
  for (let y = 0, o = 0; y < side; y++)
    for (let x = 0; x < 2 * side; x++, o += 3) data.set(pixelOf(x < side ? "a" : "b", x % side, y, pair), o);
  return makePicture({ width: 2 * side, height: side, channels: 3 }, data);
}

/** One half of a pair alone. */
export function half(which: "a" | "b", side: number, pair: number): Picture {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0, o = 0; y < side; y++) for (let x = 0; x < side; x++, o += 3) data.set(pixelOf(which, x, y, pair), o);
  return makePicture({ width: side, height: side, channels: 3 }, data);
}

/** The bytes of a picture of a batch at a place, all channels. */
export const pixelAt = ({ shape, data }: Tensor, n: number, x: number, y: number): number[] => {
  const [, channels, height, width] = shape as readonly [number, number, number, number];
  return Array.from({ length: channels }, (_, c) =>
    Math.round(Number(data[((n * channels + c) * height + y) * width + x]) * 255),
  );
};

/** One channel of every picture's first pixel as a byte: made pictures are told apart by it. */
export const marksOf = (batch: Tensor, channel = 0): number[] =>
  Array.from({ length: batch.shape[0]! }, (_, n) => pixelAt(batch, n, 0, 0)[channel]!);

/** The tensors of a batch as plain arrays. */
export const plainOf = (batch: Tensors): unknown =>
  Object.fromEntries(Object.entries(batch).map(([name, { shape, data }]) => [name, { shape, data: [...data] }]));

export const valuesOf = (value: Tensor): number[] => Array.from(floats(value));
