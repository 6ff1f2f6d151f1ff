import { expect, test } from "vitest";
import { makePicture, type Picture } from "../../src/image/picture.ts";
import { enlargedTo, middleSquare, plainPicture, reduced } from "../../src/image/reduce.ts";

const ramp = (width: number, height: number, at: (x: number, y: number) => number): Picture =>
  makePicture({ width, height, channels: 1 }, Uint8Array.from({ length: width * height }, (_, i) => at(i % width, Math.floor(i / width)))); // biome-ignore format: one line

test("a reduced ramp has the values between its pixels, an enlarged one those a quarter beside them", () => {
  const small = reduced(
    ramp(48, 8, (x) => 4 * x),
    2,
  );
  expect([small.width, small.height]).toEqual([24, 4]);
  for (let x = 3; x < 21; x++) expect(small.data[24 + x]).toBe(8 * x + 2);
  const large = enlargedTo(
    { width: 96, height: 16 },
    ramp(48, 8, (x) => 4 * x),
  );
  for (let x = 6; x < 90; x++) expect(large.data[96 * 5 + x]).toBe(4 * (x / 2 - 0.25));
});

test("sides that do not divide by the scale are refused", () => {
  expect(() =>
    reduced(
      ramp(5, 4, () => 0),
      2,
    ),
  ).toThrow("resize: expected a size in whole pixels above zero, got 2.5×2");
});

test("a plain picture is 8 bits over white, without metadata", () => {
  const half = makePicture({ width: 1, height: 1, channels: 2, depth: 16 }, Uint16Array.of(0, 13107), { density: 300 });
  expect(plainPicture(half)).toEqual(makePicture({ width: 1, height: 1, channels: 3 }, Uint8Array.of(204, 204, 204)));
  const opaque = makePicture({ width: 1, height: 1, channels: 1 }, Uint8Array.of(7), { density: 300 });
  expect(plainPicture(opaque)).toEqual(makePicture({ width: 1, height: 1, channels: 1 }, Uint8Array.of(7)));
});

test("the middle square, lying and standing; the odd pixel is left over at the end", () => {
  expect([...middleSquare(ramp(5, 2, (x) => x)).data]).toEqual([1, 2, 1, 2]);
  expect([...middleSquare(ramp(2, 5, (_, y) => y)).data]).toEqual([1, 1, 2, 2]);
  const square = ramp(3, 3, (x, y) => x + y);
  expect(middleSquare(square)).toBe(square);
});
