import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePicture, modcrop } from "../../../src/image/picture.ts";
import { resize } from "../../../src/image/resize.ts";
import { score } from "../../../src/metrics/protocol.ts";
import { writePicture } from "../../../src/platform/codec.ts";
import { evaluationJson, evaluationTable, reportWriter } from "../../../src/report/evaluation.ts";
import { evaluate as evaluateTask } from "../../../src/tasks/evaluate/evaluate.ts";
import { compare as compareTask } from "../../../src/tasks/upscale/compare.ts";
import { inputRunner, photograph, runner, testPlatform, tinyBytes } from "../support.ts";

const [evaluate, compare] = [runner(evaluateTask), inputRunner(compareTask)];
let root = "";
const platform = () => testPlatform(join(root, "models"));
const truths = [photograph(64, 47, 1), photograph(50, 61, 2)];
const by = (scale: number) => ({ method: "bicubic", convention: "matlab", scale }) as const;

/** The protocol spelled out. */
const byHand = (scale: number, color: "y" | "rgb" = "y", shave = scale) =>
  truths.map((picture) => {
    const truth = modcrop(picture, scale);
    const small = resize(truth, { width: truth.width / scale, height: truth.height / scale }, by(scale));
    return score(resize(small, truth, by(scale)), truth, { color, shave });
  });

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "imago-evaluate-"));
  for (const folder of ["plain", "set", "set/x2", "set/x3", "models"]) await mkdir(join(root, folder));
  for (const [i, truth] of truths.entries()) await writePicture(join(root, `plain/${i}.png`), truth);
  const hr = modcrop(truths[0]!, 2);
  await writePicture(join(root, "set/x2/a_HR.png"), hr);
  await writePicture(join(root, "set/x2/a_LR.png"), resize(hr, { width: hr.width / 2, height: hr.height / 2 }, { method: "nearest", convention: "matlab" })); // biome-ignore format: one line
  await writeFile(join(root, "models/tiny-x2.safetensors"), tinyBytes());
});

afterAll(() => rm(root, { recursive: true, force: true }));

describe("evaluate", () => {
  test("follows the protocol, and means are means of scores", async () => {
    const { means, pictures } = await evaluate({ data: join(root, "plain"), scale: [2, 3] }, platform());
    expect(pictures.map(({ psnr, ssim }) => ({ psnr, ssim }))).toEqual([...byHand(2), ...byHand(3)]);
    expect(pictures[1]).toMatchObject({ method: "bicubic", scale: 2, picture: "1" });
    expect(means).toHaveLength(2);
    expect(means[0]!.psnr).toBeCloseTo((pictures[0]!.psnr + pictures[1]!.psnr) / 2, 10);
    expect(means[0]).toMatchObject({ scale: 2, pictures: 2 });
  });

  test("color and rim can be chosen", async () => {
    const { pictures } = await evaluate({ data: join(root, "plain"), color: "rgb", shave: 7 }, platform());
    expect(pictures.map(({ psnr, ssim }) => ({ psnr, ssim }))).toEqual(byHand(2, "rgb", 7));
  });

  test("a published set brings its reduced pictures along", async () => {
    const { pictures } = await evaluate({ data: join(root, "set"), method: ["nearest", "bicubic"] }, platform());
    expect(pictures.map(({ method, picture }) => [method, picture])).toEqual([
      ["nearest", "a"],
      ["bicubic", "a"],
    ]);
    expect(pictures[1]!.psnr).not.toBeCloseTo(byHand(2)[0]!.psnr, 1);
    const missing = evaluate({ data: join(root, "set"), scale: [4] }, platform());
    await expect(missing).rejects.toThrow(/scale: expected a folder x4 in .*, got x2, x3/);
  });

  test("networks and methods stand side by side; two of one name are told apart", async () => {
    const path = join(root, "models/tiny-x2.safetensors");
    const options = { data: join(root, "plain"), method: ["bicubic" as const], model: ["tiny-x2", path] };
    const { means } = await evaluate(options, platform());
    expect(means.map(({ method }) => method)).toEqual(["bicubic", "tiny-x2", path]);
    expect(means[2]!.psnr).toBe(means[1]!.psnr);
  });
});

describe("reports", () => {
  const evaluation = {
    means: [{ method: "bicubic", scale: 2, psnr: Number.POSITIVE_INFINITY, ssim: 1, pictures: 1 }],
    pictures: [{ method: "bicubic", scale: 2, picture: 'a, "b"', psnr: Number.POSITIVE_INFINITY, ssim: 1 }],
  };

  test("the PSNR of equal pictures is null in JSON", () => {
    expect(JSON.parse(JSON.stringify(evaluationJson(evaluation)))).toEqual({
      means: [{ ...evaluation.means[0], psnr: null }],
      pictures: [{ ...evaluation.pictures[0], psnr: null }],
    });
    expect(reportWriter("x.json")(evaluation)).toContain('"psnr": null');
  });

  test("CSV, Markdown and the terminal", () => {
    expect(reportWriter("x.CSV")(evaluation)).toMatchInlineSnapshot(`
      "method,scale,picture,psnr,ssim
      bicubic,2,"a, ""b""",Infinity,1
      bicubic,2,mean,Infinity,1
      "
    `);
    expect(reportWriter("x.md")(evaluation)).toMatchInlineSnapshot(`
      "| method | scale | PSNR (dB) | SSIM | pictures |
      | --- | --- | --- | --- | --- |
      | bicubic | ×2 | ∞ | 1.0000 | 1 |

      | picture | method | scale | PSNR (dB) | SSIM |
      | --- | --- | --- | --- | --- |
      | a, "b" | bicubic | ×2 | ∞ | 1.0000 |
      "
    `);
    expect(evaluationTable(evaluation)).toMatchInlineSnapshot(`
      "method   scale  PSNR (dB)    SSIM  pictures
      bicubic     ×2          ∞  1.0000         1"
    `);
  });
});

describe("compare", () => {
  test("reduces, enlarges, scores and draws", async () => {
    const { original, reduced, results, crops, sheet } = await compare(truths[0]!, { scale: 3, model: [] }, platform());
    expect([original.width, original.height, reduced.width, reduced.height]).toEqual([63, 45, 21, 15]);
    expect(results.map(({ method }) => method)).toEqual(["bilinear", "bicubic"]);
    expect(results[1]).toMatchObject(byHand(3)[0]!);
    expect(crops).toHaveLength(3);
    expect(sheet.width).toBeGreaterThan(3 * 360);
  });

  test("OpenCV's arithmetic on both ways", async () => {
    const { original, reduced, results } = await compare(
      truths[0]!,
      { scale: 2, convention: "opencv", reduce: "bilinear", model: ["tiny-x2"] },
      platform(),
    );
    const small = resize(original, reduced, { method: "bilinear", convention: "opencv" });
    expect(reduced.data).toEqual(small.data);
    const large = resize(small, original, { method: "bicubic", convention: "opencv" });
    expect(results[1]!.picture.data).toEqual(large.data);
    expect(results[2]!.method).toBe("tiny-x2");
  });

  test("refuses what is too small to score", async () => {
    const tiny = makePicture({ width: 12, height: 12, channels: 3 });
    await expect(compare(tiny, {}, platform())).rejects.toThrow("large enough to score, got 12×12");
  });
});
