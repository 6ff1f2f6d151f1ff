import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { main } from "../../../src/cli/program.ts";
import { isSamePicture } from "../../../src/image/picture.ts";
import { readPicture, writePicture } from "../../../src/platform/codec.ts";
import { scrambled } from "../../fixtures/pictures.ts";
import { photograph, temporaryFolder, testPlatform, tinyBytes } from "../../tasks/support.ts";
import { inverted, invertingFile } from "../../tasks/translate/translateSupport.ts";
import { cli } from "../support.ts";

const few = ["--log", "2", "--save", "3", "--sample", "2", "--runtime", "cpu", "--threads", "1"];

async function prepare(): Promise<(...names: string[]) => string> {
  const root = await temporaryFolder();
  return (...names) => join(root, ...names);
}

/** Runs a training until its first line of numbers, as Ctrl-C does. */
async function interrupted(argv: readonly string[]): Promise<number> {
  const end = new AbortController();
  const err = (text: string): void => {
    if (/^step 2\//.test(text)) end.abort();
  };
  return main(["train", ...argv], { out: () => {}, err, isTerminal: false, signal: end.signal }, testPlatform());
}

describe("translate", () => {
  const picture = scrambled({ width: 24, height: 18 });

  test("writes beside the input, or where it is told, and prints where", async () => {
    const at = await prepare();
    const model = await invertingFile(at());
    await writePicture(at("a.jpeg.png"), picture);
    const argv = ["translate", at("a.jpeg.png"), "--model", model, "--runtime", "reference"];
    const beside = at("a.jpeg-translated.png");
    expect(await cli(argv)).toEqual({ code: 0, out: `${beside}  24×18\n`, err: "" });
    expect(isSamePicture(await readPicture(beside), inverted(picture))).toBe(true);
    const json = await cli([...argv, "-o", at("b.png"), "--side", "36", "--json"]);
    expect(JSON.parse(json.out)).toEqual({ output: at("b.png"), width: 48, height: 36 });
    expect(await readPicture(at("b.png"))).toMatchObject({ width: 48, height: 36 });
    expect(await cli(argv)).toMatchObject({ code: 2, err: expect.stringContaining("already there") });
    expect((await cli([...argv, "--force"])).code).toBe(0);
  });

  test("what cannot be done is refused, with nothing written", async () => {
    const at = await prepare();
    await writePicture(at("a.png"), picture);
    await writeFile(at("up.safetensors"), tinyBytes());
    const told = async (...argv: string[]) => {
      const { code, out, err } = await cli(["translate", ...argv, "--runtime", "reference"]);
      expect({ code, out }).toEqual({ code: 2, out: "" });
      return err;
    };
    expect(await told(at("a.png"), "--model", at("up.safetensors"))).toContain(
      "expected a model that turns pictures into others, got one that enlarges pictures",
    );
    expect(await told(at("gone.png"), "--model", at("up.safetensors"))).toContain("gone.png");
    expect(await told(at("a.png"), "--side", "3")).toContain("--side: expected a whole number from 16 to 8192");
    expect(await told()).toContain("picture");
    expect((await readdir(at())).sort()).toEqual(["a.png", "up.safetensors"]);
  });
});

test("pix2pix from pairs: trained, interrupted and gone on with, kept at its best, used", async () => {
  const at = await prepare();
  await mkdir(at("pairs"));
  for (let number = 10; number < 21; number++)
    await writePicture(at("pairs", `${number}.png`), photograph(64, 32, number)); // ten to learn from, one held out
  const size = ["--size", "32", "--width", "1", "--from", "left", "--to", "right"];
  const argv = (run: string) => ["pix2pix", "--data", at("pairs"), "--run", at(run), "--steps", "4", ...size, "--keep-best", "psnr", ...few]; // biome-ignore format: one line
  const { code, out, err } = await cli(["train", ...argv("whole")]);
  expect({ code, out }).toEqual({ code: 0, out: `${at("whole")}/weights.safetensors\n` });
  expect(err).toMatch(/step 2\/4 .*discriminator [\d.e-]+ .*generator [\d.e-]+/);
  expect(err).toMatch(/step 2 {2}PSNR [\d.]+ dB {2}SSIM -?[\d.e-]+\n/);
  expect(err).toMatch(/Best by psnr \([\d.]+ at step [24]\): .*\/whole\/best\.safetensors\n/);
  expect((await readdir(at("whole/samples"))).sort()).toEqual(["000002.png", "000004.png"]);
  expect(await readPicture(at("whole/samples/000004.png"))).toMatchObject({ width: 32 + 8, height: 3 * 36 + 4 });
  const shown = JSON.parse((await cli(["models", "show", at("whole/best.safetensors"), "--json"])).out) as object;
  expect(shown).toMatchObject({ model: "unet", recipe: "pix2pix", best: "psnr" });

  expect(await interrupted(argv("parts"))).toBe(130);
  expect((await cli(["train", "--resume", at("parts")])).code).toBe(0);
  for (const name of ["weights", "best"])
    expect(await readFile(at(`parts/${name}.safetensors`))).toEqual(await readFile(at(`whole/${name}.safetensors`)));

  await writePicture(at("left.png"), photograph(40, 24, 5));
  for (const model of [at("whole"), at("whole/best.safetensors")]) {
    const used = await cli(["translate", at("left.png"), "--model", model, "--force", "--runtime", "cpu"]);
    expect(used).toMatchObject({ code: 0, out: `${at("left-translated.png")}  53×32\n` }); // 40 · 32 / 24 = 53.3
  }
  const judged = await cli(["evaluate", "--model", at("whole"), "--data", at("pairs"), "--runtime", "cpu", "--json"]);
  expect(JSON.parse(judged.out)).toMatchObject({ models: [{ pictures: 1, psnr: expect.any(Number) }] });
});

test("ddpm from shapes: trained, interrupted and gone on with, pictures made by both samplers", async () => {
  const at = await prepare();
  const size = ["--size", "16", "--channels", "1", "--width", "8", "--multipliers", "1", "--attention", "8", "--batch", "4"]; // biome-ignore format: one line
  const every = ["--log", "2", "--save", "3", "--sample", "4", "--runtime", "cpu", "--threads", "1"];
  const argv = (run: string) => ["ddpm", "--data", "shapes", "--run", at(run), "--steps", "4", ...size, ...every];
  const { code, out, err } = await cli(["train", ...argv("whole")]);
  expect({ code, out }).toEqual({ code: 0, out: `${at("whole")}/weights.safetensors\n` });
  expect(err).toMatch(/step 2\/4 {2}diffusion [\d.e-]+/);
  expect(await readdir(at("whole/samples"))).toEqual(["000004.png"]);
  expect(await interrupted(argv("parts"))).toBe(130);
  expect((await cli(["train", "--resume", at("parts")])).code).toBe(0);
  expect(await readFile(at("parts/weights.safetensors"))).toEqual(await readFile(at("whole/weights.safetensors")));

  const make = (...more: string[]) =>
    cli(["generate", "--model", at("whole"), "--count", "2", "--sampler-steps", "2", "--runtime", "cpu", ...more]);
  expect((await make("-o", at("a.png"))).code).toBe(0);
  expect((await make("-o", at("b.png"), "--sampler", "ddpm")).code).toBe(0);
  const [a, b] = [await readPicture(at("a.png")), await readPicture(at("b.png"))];
  expect([a.width, isSamePicture(a, b)]).toEqual([b.width, false]);
  const wrong = await make("-o", at("c.png"), "--sampler", "euler");
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("--sampler: expected one of ddim and ddpm") });
});
