import { describe, expect, test } from "vitest";
import type { Planes } from "../../src/image/planes.ts";
import { mapTiles, tileSpans } from "../../src/image/tiles.ts";

const radius = 2;

/** A (2·radius + 1)² convolution with uneven weights and zeros outside, then each pixel as a square of `scale`. */
const network =
  (scale: number) =>
  ({ channels, width, height, data }: Planes): Planes => {
    const out = new Float32Array(channels * width * height * scale * scale);
    const at = (c: number, y: number, x: number) =>
      x < 0 || y < 0 || x >= width || y >= height ? 0 : data[(c * height + y) * width + x]!;
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < height * scale; y++)
        for (let x = 0; x < width * scale; x++) {
          let sum = 0;
          for (let dy = -radius; dy <= radius; dy++)
            for (let dx = -radius; dx <= radius; dx++)
              sum += (1 + dx + 3 * dy) * at(c, Math.floor(y / scale) + dy, Math.floor(x / scale) + dx);
          out[(c * height * scale + y) * width * scale + x] = sum;
        }
    return { channels, width: width * scale, height: height * scale, data: out };
  };

const planes: Planes = {
  channels: 2,
  width: 37,
  height: 29,
  data: Float32Array.from({ length: 2 * 37 * 29 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 20) / 4096),
};

describe("mapTiles", () => {
  test.each([1, 2, 3])(
    "equals one run over the whole at scale %i when the overlap covers the receptive field",
    async (scale) => {
      const whole = network(scale)(planes);
      for (const side of [8, 13, 30, 64]) {
        const tiled = await mapTiles(planes, { side, overlap: 2 * radius + 1, scale }, network(scale));
        expect(tiled).toEqual(whole);
      }
    },
  );

  test("a smaller overlap shows seams (the test above can fail)", async () => {
    const tiled = await mapTiles(planes, { side: 13, overlap: 1, scale: 1 }, network(1));
    expect(tiled.data).not.toEqual(network(1)(planes).data);
  });

  test("all tiles have one size, and progress counts them", async () => {
    const sizes = new Set<string>();
    const steps: string[] = [];
    const onProgress = (done: number, total: number) => steps.push(`${done}/${total}`);
    await mapTiles(planes, { side: 16, overlap: 4, scale: 1, onProgress }, (tile) => {
      sizes.add(`${tile.width}×${tile.height}`);
      return tile;
    });
    expect([...sizes]).toEqual(["16×16"]);
    expect(steps.at(-1)).toBe(`${steps.length}/${steps.length}`);
  });

  test("stops between tiles", async () => {
    const controller = new AbortController();
    let runs = 0;
    const run = mapTiles(planes, { side: 8, overlap: 2, scale: 1, signal: controller.signal }, (tile) => {
      if (++runs === 2) controller.abort();
      return tile;
    });
    await expect(run).rejects.toThrow();
    expect(runs).toBe(2);
  });

  test("refuses an overlap as large as the tile", async () => {
    await expect(mapTiles(planes, { side: 8, overlap: 8, scale: 1 }, (tile) => tile)).rejects.toThrow(
      "side above the overlap",
    );
  });
});

test("spans touch without gaps and stay inside", () => {
  for (const [length, side, overlap] of [
    [100, 32, 8],
    [33, 32, 31],
    [32, 32, 0],
    [5, 32, 8],
    [97, 10, 3],
  ] as const) {
    const spans = tileSpans(length, side, overlap);
    expect(spans[0]!.from).toBe(0);
    expect(spans.at(-1)!.to).toBe(length);
    spans.slice(1).forEach((span, i) => {
      expect(span.from).toBe(spans[i]!.to);
    });
    for (const { start, from, to } of spans) expect(start <= from && to <= start + side && from < to).toBe(true);
  }
});
