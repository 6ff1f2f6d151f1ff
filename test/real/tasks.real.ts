import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { nodePlatform } from "../../src/platform/node.ts";
import { evaluate } from "../../src/tasks/evaluate.ts";
import { lazyRuntime } from "../../src/tasks/runtime.ts";
import { openUpscaler } from "../../src/tasks/upscale.ts";
import { difference } from "../fixtures/pictures.ts";

const shared = process.env.IMAGO_SHARED ?? "../shared";
const set5 = join(shared, "data/sr/set5");
const isHere = existsSync(set5);
if (!isHere) console.warn(`SKIPPED: ${set5} is missing; set IMAGO_SHARED to score on Set5.`);

const platform = nodePlatform();
const titu1994 = join(shared, "data/weights/srcnn_titu1994_x2/srcnn_x2.safetensors");

/** Bicubic on Set5: [scale, PSNR, SSIM]. Luma rounded to 8 bits as MATLAB does costs up to .01 dB against unrounded. */
const bicubic = [
  [2, 33.65, 0.9293],
  [3, 30.39, 0.8678],
  [4, 28.42, 0.8102],
] as const;

describe.skipIf(!isHere)("Set5", () => {
  test.each([
    ["its own reduced pictures", set5],
    ["reduced by our bicubic", join(set5, "original_bmp")],
  ])("bicubic, %s", async (_, data) => {
    const { means } = await evaluate({ data, method: ["bicubic"], scale: [2, 3, 4] }, platform);
    means.forEach(({ psnr, ssim }, i) => {
      expect(Math.abs(psnr - bicubic[i]![1])).toBeLessThan(0.015);
      expect(Math.abs(ssim - bicubic[i]![2])).toBeLessThan(0.0003);
    });
  });

  test("SRCNN of titu1994: 35.676 dB by its own measure; rounding the result and the luma costs 0.01 and 0.06 dB", async () => {
    const { means, pictures } = await evaluate({ data: set5, model: [titu1994], scale: [2] }, platform);
    expect(Math.abs(means[0]!.psnr - 35.676)).toBeLessThan(0.09);
    const expected = { baby: 38.426, bird: 39.896, butterfly: 29.9, head: 35.646, woman: 34.512 } as const;
    for (const { picture, psnr } of pictures)
      expect(Math.abs(psnr - expected[picture as keyof typeof expected])).toBeLessThan(0.15);
  });

  test("tiles of a real picture join to one level", async () => {
    const picture = await platform.codec.read(join(set5, "x2/butterfly_LR.png"));
    const runtime = lazyRuntime(platform);
    const [whole, tiled] = await Promise.all(
      [1024, 48].map(async (tile) => (await openUpscaler({ model: titu1994, scale: 2, tile }, platform, runtime)).run(picture)), // biome-ignore format: one line
    );
    await runtime.dispose();
    expect(difference(whole!.data, tiled!.data).most).toBeLessThanOrEqual(1);
  });
});
