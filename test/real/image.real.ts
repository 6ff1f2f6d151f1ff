import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { luma, rgbToLab, rgbToYcbcr } from "../../src/image/color.ts";
import { isSamePicture, type Size } from "../../src/image/picture.ts";
import { planeOf } from "../../src/image/planes.ts";
import { resize, resizePlane } from "../../src/image/resize.ts";
import type { Convention, Method } from "../../src/image/taps.ts";
import { score } from "../../src/metrics/protocol.ts";
import { planeMse, psnr, psnrOf } from "../../src/metrics/psnr.ts";
import { planeSsim, ssim } from "../../src/metrics/ssim.ts";
import { readPicture } from "../../src/platform/codec.ts";
import { difference, storedPicture } from "../fixtures/pictures.ts";
import { readStored } from "../fixtures/safetensors.ts";

const shared = process.env.IMAGO_SHARED ?? "../shared";
const isHere = existsSync(join(shared, "golden"));
if (!isHere) console.warn(`SKIPPED: ${shared} is missing; set IMAGO_SHARED to compare with the golden outputs.`);
const golden = (name: string) => readStored(join(shared, "golden", `${name}.safetensors`));
const methods: Readonly<Record<string, Method>> = { lanczos4: "lanczos", area: "box" };

describe.skipIf(!isHere)("golden outputs", () => {
  test("every resize of OpenCV and Pillow, byte for byte; every one of PyTorch to 1e-3", () => {
    const stored = golden("resize");
    const wrong: string[] = [];
    let count = 0;
    for (const [name, { data }] of Object.entries(stored)) {
      const found = /^([\w-]+)\.(\w+)\.(random|cat)\.(\d+)x(\d+)$/.exec(name);
      if (!found) continue;
      const [, library, kind, source, height, width] = found as unknown as [
        string,
        string,
        string,
        string,
        string,
        string,
      ];
      const picture = storedPicture(stored[source]!);
      const size: Size = { width: Number(width), height: Number(height) };
      const method = methods[kind] ?? (kind as Method);
      const isTorch = library.startsWith("torch");
      const convention: Convention = library === "pillow" || library === "torch-antialias" ? "pillow" : "opencv";
      const planes = isTorch
        ? [0, 1, 2].map((c) => resizePlane(planeOf(picture, c), size, { method, convention }))
        : [];
      const ours = isTorch
        ? Float32Array.from(data, (_, i) => planes[i % 3]!.data[Math.floor(i / 3)]!)
        : resize(picture, size, { method, convention }).data;
      if (difference(ours, data).most > (isTorch ? 1e-3 : 0)) wrong.push(name);
      count++;
    }
    expect(wrong).toEqual([]);
    expect(count).toBeGreaterThan(100);
  });

  test("the tutorial's cat, there and back", () => {
    const { lr, hr, bilinear, bicubic } = golden("chelsea");
    const small = storedPicture(lr!);
    for (const [method, theirs] of [
      ["bilinear", bilinear!],
      ["bicubic", bicubic!],
    ] as const)
      expect(
        isSamePicture(resize(small, storedPicture(hr!), { method, convention: "opencv" }), storedPicture(theirs)),
      ).toBe(true);
  });

  test("PSNR and SSIM equal scikit-image's", () => {
    const stored = golden("metrics");
    const expected = JSON.parse(readFileSync(join(shared, "golden/metrics.json"), "utf8")) as Record<
      string,
      Record<string, number>
    >;
    for (const [name, values] of Object.entries(expected)) {
      const [a, b] = [storedPicture(stored[`${name}.a`]!), storedPicture(stored[`${name}.b`]!)];
      const [ya, yb] = [luma(a), luma(b)];
      expect(psnr(a, b)).toBeCloseTo(values.psnr_rgb!, 9);
      expect(psnrOf(planeMse(ya, yb), 255)).toBeCloseTo(values.psnr_y!, 9);
      expect(planeSsim(ya, yb, 255)).toBeCloseTo(values.ssim_y_valid11!, 9);
      expect(ssim(a, b)).toBeCloseTo(values.ssim_rgb_mean_valid11!, 9);
    }
  });

  test("colors", () => {
    const { rgb, ycbcr_bt601_studio, lab_d65 } = golden("color");
    for (let i = 0; i < 67; i++) {
      const [r, g, b] = Array.from(rgb!.data.subarray(3 * i, 3 * i + 3), (v) => v / 255) as [number, number, number];
      expect(difference(rgbToYcbcr(r, g, b), ycbcr_bt601_studio!.data.subarray(3 * i, 3 * i + 3)).most).toBeLessThan(
        1e-10,
      );
      expect(difference(rgbToLab(r, g, b), lab_d65!.data.subarray(3 * i, 3 * i + 3)).most).toBeLessThan(1e-9);
    }
  });
});

describe.skipIf(!isHere)("Set5", () => {
  const names = ["baby", "bird", "butterfly", "head", "woman"];
  const folder = join(shared, "data/sr/set5");

  test.each([2, 3, 4])("MATLAB's own pictures at ÷%i, byte for byte", async (scale) => {
    for (const name of names) {
      const hr = await readPicture(join(folder, `x${scale}`, `${name}_HR.png`));
      const lr = await readPicture(join(folder, `x${scale}`, `${name}_LR.png`));
      expect(isSamePicture(resize(hr, lr, { method: "bicubic", convention: "matlab" }), lr)).toBe(true);
    }
  });

  test.each([2, 3, 4])("bicubic ×%i scores what MATLAB's evaluation printed, picture by picture", async (scale) => {
    const table = JSON.parse(readFileSync(join(shared, "data/sr/reference_tables/selfexsr_set5.json"), "utf8"))[
      `x${scale}`
    ];
    for (const [row, name] of names.entries()) {
      const hr = await readPicture(join(folder, `x${scale}`, `${name}_HR.png`));
      const lr = await readPicture(join(folder, `x${scale}`, `${name}_LR.png`));
      const ours = score(resize(lr, hr, { method: "bicubic", convention: "matlab" }), hr, { color: "y", shave: scale });
      expect(Math.abs(ours.psnr - table.psnr[row][0])).toBeLessThan(0.002);
      expect(Math.abs(ours.ssim - table.ssim[row][0])).toBeLessThan(0.0001);
    }
  });

  test("BMP originals equal the PNG copies", async () => {
    for (const name of names) {
      const bmp = await readPicture(join(folder, "original_bmp", `${name}_GT.bmp`));
      const png = await readPicture(join(folder, "x2", `${name}_HR.png`));
      expect(bmp.width - png.width + bmp.height - png.height).toBeLessThanOrEqual(2);
      if (bmp.width === png.width && bmp.height === png.height) expect(isSamePicture(bmp, png)).toBe(true);
    }
  });
});
