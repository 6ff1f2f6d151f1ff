import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compilePredictor, input } from "../../src/engine/index.ts";
import { planeOf } from "../../src/image/planes.ts";
import { resizePlane } from "../../src/image/resize.ts";
import { loadModel } from "../../src/modelFiles/read.ts";
import { lazyRuntime } from "../../src/platform/lazyRuntime.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { evaluate as evaluateTask } from "../../src/tasks/evaluate/evaluate.ts";
import { openUpscaler } from "../../src/tasks/upscale/upscale.ts";
import { floats, tensor } from "../../src/tensor/tensor.ts";
import { difference } from "../fixtures/pictures.ts";
import { runner } from "../tasks/support.ts";

const evaluate = runner(evaluateTask);
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
      expect(Math.abs(psnr - bicubic[i]![1])).toBeLessThan(0.01);
      expect(Math.abs(ssim - bicubic[i]![2])).toBeLessThan(0.0003);
    });
  });

  test("SRCNN as shipped: at least the paper's figures with 91 pictures", async () => {
    const { means } = await evaluate({ data: set5, model: ["srcnn"], scale: [2, 3, 4] }, platform);
    expect(means[0]!.psnr).toBeGreaterThan(36.3);
    expect(means[1]!.psnr).toBeGreaterThan(32.4);
    expect(means[2]!.psnr).toBeGreaterThan(30.1);
  });

  test("SRCNN of titu1994: the figures of its EXPECTED.json, by their measure (input rounded once, nothing after the network)", async () => {
    const model = await loadModel(titu1994, platform, { scale: 2 });
    const runtime = await platform.runtime();
    const predictor = compilePredictor((shape) => model.build(input("input", shape)), {
      runtime,
      weights: model.weights,
    });
    const found: Record<string, number> = {};
    for (const name of ["baby", "bird", "butterfly", "head", "woman"]) {
      const [truth, small] = await Promise.all(["HR", "LR"].map((kind) => platform.codec.read(join(set5, `x2/${name}_${kind}.png`)))); // biome-ignore format: one line
      const { width, height } = truth!;
      const area = width * height;
      const planes = new Float32Array(3 * area);
      for (const c of [0, 1, 2]) {
        const large = resizePlane(planeOf(small!, c), truth!, { method: "bicubic", convention: "matlab", factor: 2 });
        for (let p = 0; p < area; p++)
          planes[c * area + p] = Math.min(255, Math.max(0, Math.round(large.data[p]!))) / 255;
      }
      const made = floats(await predictor.run(tensor(planes, [1, 3, height, width])));
      const colors = [0, 1, 2].map((c) =>
        made.subarray(c * area, (c + 1) * area).map((v) => Math.min(1, Math.max(0, v))),
      );
      let [sum, count] = [0, 0];
      for (let y = 2; y < height - 2; y++)
        for (let x = 2; x < width - 2; x++) {
          const p = y * width + x;
          const luma = (c: number) => [65.481, 128.553, 24.966][c]! * (colors[c]![p]! - truth!.data[3 * p + c]! / 255);
          sum += (luma(0) + luma(1) + luma(2)) ** 2;
          count++;
        }
      found[name] = 10 * Math.log10((255 * 255 * count) / sum);
    }
    await runtime.dispose();
    const expected = { baby: 38.426, bird: 39.896, butterfly: 29.9, head: 35.646, woman: 34.512 };
    for (const [name, psnr] of Object.entries(expected))
      expect(Math.abs(found[name]! - psnr), name).toBeLessThan(0.0015);
  });

  test("the same by evaluate: result and luma rounded to 8 bits cost a little, and only cost", async () => {
    const { means } = await evaluate({ data: set5, model: [titu1994], scale: [2] }, platform);
    expect(means[0]!.psnr).toBeLessThan(35.676); // the mean of EXPECTED.json
    expect(means[0]!.psnr).toBeGreaterThan(35.676 - 0.09);
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
