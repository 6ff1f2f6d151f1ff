import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { entries, isNear } from "../../src/cli/program.ts";
import { toDepth, toGray } from "../../src/image/channels.ts";
import { crop, isSamePicture } from "../../src/image/picture.ts";
import { readPicture, writePicture } from "../../src/platform/codec.ts";
import { filled, model as onnxModel } from "../engine/import/onnxModel.ts";
import { photograph, temporaryFolder, tinyBytes } from "../tasks/support.ts";
import { cli } from "./support.ts";

let root = "";
const at = (...names: string[]): string => join(root, ...names);
const good = photograph(40, 30);

beforeEach(async () => {
  root = await temporaryFolder();
  await mkdir(at("models"));
  await mkdir(at("photos"));
  await mkdir(at("out"));
  await writeFile(at("models/tiny-x2.safetensors"), tinyBytes());
  await writePicture(at("photos/a.png"), good);
  await writePicture(at("photos/b.jpg"), good);
  await writePicture(at("photos/c.png"), toDepth(toGray(good), 16));
});

const run = (...argv: string[]) => cli(argv, { models: at("models") });

describe("upscale", () => {
  test("writes next to the input, with scale and method in the name", async () => {
    const { code, out, err } = await run("upscale", at("photos/a.png"), "--model", "tiny-x2");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(`${at("photos/a-x2-tiny.png")}  80×60`);
    expect(await readPicture(at("photos/a-x2-tiny.png"))).toMatchObject({ width: 80, height: 60, channels: 3 });
    expect(isSamePicture(await readPicture(at("photos/a.png")), good)).toBe(true);
  });

  test("folders, patterns and files; formats and depths are kept", async () => {
    const { code, out } = await run("upscale", at("photos"), "--method", "bicubic", "--scale", "1.5", "-o", at("out"));
    expect(code).toBe(0);
    expect(out.trim().split("\n")).toHaveLength(3);
    expect((await readdir(at("out"))).sort()).toEqual([
      "a-x1.5-bicubic.png",
      "b-x1.5-bicubic.jpg",
      "c-x1.5-bicubic.png",
    ]);
    expect(await readPicture(at("out/c-x1.5-bicubic.png"))).toMatchObject({
      width: 60,
      height: 45,
      channels: 1,
      depth: 16,
    });
    const again = await run(
      "upscale",
      at("photos/*.jpg"),
      "--method=lanczos",
      "--format",
      "webp",
      "-o",
      `${at("out")}/`,
    );
    expect(again.out).toContain("b-x2-lanczos.webp");
  });

  test("--json prints one document and nothing else", async () => {
    const { code, out, err } = await run(
      "upscale",
      at("photos/a.png"),
      "-o",
      at("x.png"),
      "--method",
      "nearest",
      "--json",
    );
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(JSON.parse(out)).toMatchObject({
      method: "nearest",
      scale: 2,
      seams: "exact",
      files: [{ input: at("photos/a.png"), output: at("x.png"), width: 80, height: 60 }],
      failures: [],
    });
  });

  test("seams that are approximate are said once, and in --json", async () => {
    const down = { kernel_shape: [2, 2], strides: [2, 2] };
    await writeFile(
      at("half.onnx"),
      onnxModel({
        nodes: [
          { op: "Conv", inputs: ["input", "down"], outputs: ["small"], attributes: down },
          { op: "ConvTranspose", inputs: ["small", "up"], outputs: ["output"], attributes: down },
        ],
        constants: { down: filled([2, 1, 2, 2]), up: filled([2, 1, 2, 2]) },
        inputs: [{ name: "input", shape: [1, 1, "h", "w"] }],
        outputs: ["output"],
      }),
    );
    const argv = ["upscale", at("photos/a.png"), at("photos/b.jpg"), "--model", at("half.onnx"), "--scale", "2"];
    const { code, out, err } = await run(...argv, "-o", at("out"), "--json");
    expect(code).toBe(0);
    expect(err).toBe("half sees more than a tile: where tiles meet, pixels are approximate.\n");
    expect(JSON.parse(out)).toMatchObject({ method: "half", seams: "approximate" });
  });

  test("some of several failing: the others are done, exit 3", async () => {
    await writeFile(at("photos/bad.png"), "no picture");
    const { code, out, err } = await run(
      "upscale",
      at("photos"),
      at("gone.png"),
      "--method",
      "bicubic",
      "-o",
      at("out"),
      "--json",
    );
    expect(code).toBe(3);
    const { files, failures } = JSON.parse(out) as { files: unknown[]; failures: { input: string; error: string }[] };
    expect(files).toHaveLength(3);
    expect(failures.map(({ input }) => input)).toEqual([at("gone.png"), at("photos/bad.png")]);
    for (const { error } of failures) expect(err).toContain(error);
    expect(err).toContain("2 of 5 failed.");
  });

  test("two results of one name: the second is refused before any work", async () => {
    await mkdir(at("more"));
    await writePicture(at("more/a.png"), good);
    const { code, err } = await run(
      "upscale",
      at("photos/a.png"),
      at("more/a.png"),
      "--method",
      "nearest",
      "-o",
      at("out"),
    );
    expect(code).toBe(3);
    expect(err).toContain(`which is that of ${at("photos/a.png")} too`);
  });

  test("an aborted signal: exit 130, nothing written", async () => {
    const controller = new AbortController();
    controller.abort();
    const argv = ["upscale", at("photos/a.png"), "--method", "bicubic", "-o", at("x.png")];
    expect(await cli(argv, { signal: controller.signal })).toMatchObject({ code: 130, out: "", err: "Interrupted.\n" });
    expect(await readdir(root)).not.toContain("x.png");
  });

  test("the reference runtime and the CPU agree", async () => {
    for (const name of ["reference", "cpu"])
      expect((await run("upscale", at("photos/a.png"), "--model", "tiny-x2", "--runtime", name, "--threads", "1", "-o", at(`${name}.png`))).code).toBe(0); // biome-ignore format: one line
    const [a, b] = [await readPicture(at("reference.png")), await readPicture(at("cpu.png"))];
    expect(Math.max(...a.data.map((value, i) => Math.abs(value - b.data[i]!)))).toBeLessThanOrEqual(1);
  });
});

describe("evaluate", () => {
  test("--json has means and pictures; -o writes a report too", async () => {
    await writePicture(at("photos/c.png"), good, { force: true });
    const argv = ["evaluate", "--data", at("photos"), "--method", "bicubic,lanczos", "--model", "tiny-x2", "--json"];
    const { code, out } = await run(...argv, "-o", at("report.csv"));
    expect(code).toBe(0);
    const { means, pictures } = JSON.parse(out) as {
      means: { method: string; pictures: number }[];
      pictures: unknown[];
    };
    expect(means.map(({ method, pictures: count }) => [method, count])).toEqual([
      ["bicubic", 3],
      ["lanczos", 3],
      ["tiny-x2", 3],
    ]);
    expect(pictures).toHaveLength(9);
    expect((await readFile(at("report.csv"), "utf8")).trim().split("\n")).toHaveLength(13);
    expect((await run(...argv, "-o", at("report.csv"))).err).toContain("already there");
  });

  test("a table for people", async () => {
    const { out } = await run("evaluate", "--data", at("photos"), "--scale", "2,3");
    expect(out).toMatch(/^method {3,}scale {2}PSNR \(dB\) {4}SSIM {2}pictures\nbicubic .*×2/);
  });
});

describe("compare, models, export, data, demo", () => {
  test("compare writes a sheet next to the picture", async () => {
    const { code, out } = await run("compare", at("photos/a.png"), "--scale", "2", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ output: at("photos/a-compare-x2.png"), scale: 2 });
    expect((await readPicture(at("photos/a-compare-x2.png"))).width).toBeGreaterThan(900);
  });

  test("models lists and shows cards", async () => {
    expect((await run("models")).out).toContain("tiny-x2");
    expect(JSON.parse((await run("models", "--json")).out)).toMatchObject({
      models: [{ name: "tiny-x2", model: "srcnn" }],
    });
    const shown = JSON.parse((await run("models", "show", "tiny-x2", "--json")).out) as object;
    expect(shown).toMatchObject({ model: "srcnn", numbers: 97, radius: 2, usage: { scale: 2, color: "y" } });
    expect((await run("models", "show", "tiny-x2")).out).toMatch(/^name +tiny-x2\n/);
  });

  test("export to safetensors gives the same model", async () => {
    expect((await run("export", "tiny-x2", "--no-metadata", "-o", at("mine.safetensors"))).code).toBe(0);
    expect(new Uint8Array(await readFile(at("mine.safetensors")))).toEqual(tinyBytes());
  });

  test("data lists what can be fetched", async () => {
    expect((await run("data")).out).toMatch(/mnist +11\.6 MB|mnist +12 MB/);
  });

  test("demo needs nothing", async () => {
    const { code, out } = await run("demo", "-o", at("demo"), "--width", "120", "--height", "96", "--json");
    expect(code).toBe(0);
    const { scores, files } = JSON.parse(out) as { scores: { method: string }[]; files: string[] };
    expect(scores.map(({ method }) => method)).toContain("tiny-x2");
    expect(files).toContain(`${at("demo")}/comparison.png`);
    expect((await run("demo", "-o", at("demo"), "--width", "120", "--height", "96")).code).toBe(0);
  });
});

describe("help", () => {
  test("imago", async () => {
    const { code, out } = await run("--help");
    expect(code).toBe(0);
    expect(out).toMatchSnapshot();
    expect((await run()).out).toBe(out);
    expect((await run("help")).out).toBe(out);
    expect((await run("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each(entries.map(({ name }) => name))("imago %s", async (name) => {
    const { code, out, err } = await run(name, "--help");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatchSnapshot();
    expect((await run("help", name)).out).toBe(out);
  });

  test("imago train srcnn", async () => {
    expect((await run("train", "srcnn", "--help")).out).toMatchSnapshot();
  });
});

test("a near miss is two letters at most", () => {
  expect([isNear("upscale", "upscal"), isNear("train", "trian"), isNear("train", "data")]).toEqual([true, true, false]);
});

test("pictures outside the working folder keep their place", async () => {
  await writePicture(at("photos/part.tiff"), crop(good, { x: 0, y: 0, width: 9, height: 7 }));
  expect((await run("upscale", at("photos/part.tiff"), "--method", "bilinear")).out).toContain(
    at("photos/part-x2-bilinear.tiff"),
  );
});

test("bench --profile prints where the time of a workload's step goes", async () => {
  const few = ["bench", "--only", "tiny", "--rounds", "2", "--runtime", "cpu", "--threads", "1", "--profile"];
  const { code, out } = await cli(few);
  expect(code).toBe(0);
  expect(out).toMatch(/^a 4×4 matrix, batch 1: the overhead of a step\n\nkind +forward ms/);
  expect(out).toMatch(/\ntiny\/only +[\d.–]+ +[\d.–]+/);
  const { profiles } = JSON.parse((await cli([...few, "--json"])).out) as { profiles: object[] };
  expect(profiles).toMatchObject([{ workload: "tiny", steps: 2 }]);
});
