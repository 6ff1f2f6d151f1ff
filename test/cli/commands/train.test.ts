import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { main } from "../../../src/cli/program.ts";
import { readPicture, writePicture } from "../../../src/platform/codec.ts";
import { photograph, temporaryFolder, testPlatform } from "../../tasks/support.ts";
import { cli } from "../support.ts";

const small = ["--form", "9-1-5", "--patch", "16", "--batch", "2", "--log", "2", "--save", "3", "--sample", "4", "--runtime", "cpu", "--threads", "1"]; // biome-ignore format: one line

async function prepare(): Promise<(...names: string[]) => string> {
  const root = await temporaryFolder();
  await mkdir(join(root, "photos"));
  for (const seed of [1, 2]) await writePicture(join(root, `photos/${seed}.png`), photograph(48, 40, seed));
  await writeFile(join(root, "photos/bad.png"), "no picture");
  return (...names) => join(root, ...names);
}

test("a run from start to end, and what comes of it", async () => {
  const at = await prepare();
  const argv = [
    "srcnn",
    "--data",
    at("photos"),
    "--run",
    at("run"),
    "--steps",
    "6",
    ...small,
    "--validate",
    at("photos/1.png"),
  ];
  const plan = await cli(["train", ...argv, "--dry-run", "--json"]);
  expect(plan.code).toBe(0);
  expect(JSON.parse(plan.out)).toMatchObject({
    recipe: "srcnn",
    options: { form: "9-1-5", patch: 16 },
    data: { count: 2 },
  });
  expect(await readdir(at())).toEqual(["photos"]);

  const { code, out, err } = await cli(["train", ...argv]);
  expect({ code, out }).toEqual({ code: 0, out: `${at("run")}/weights.safetensors\n` });
  expect(err).toMatch(/step 2\/6 {2}srcnn [\d.e-]+ {2}\d+ images\/s {2}\d+ s left\n/);
  expect(err).toMatch(/step 6 {2}PSNR [\d.]+ dB {2}SSIM [\d.-]+\n/);
  expect(err).toContain("bad.png: expected a JPEG");
  expect((await readdir(at("run"))).sort()).toEqual(
    ["checkpoint.safetensors", "loss.png", "metrics.jsonl", "options.json", "samples", "weights.safetensors"], // biome-ignore format: one line
  );
  expect((await readPicture(at("run/samples/000004.png"))).width).toBeGreaterThan(100);

  const shown = JSON.parse((await cli(["models", "show", at("run"), "--json"])).out) as object;
  expect(shown).toMatchObject({ model: "srcnn", numbers: 8129, radius: 6, recipe: "srcnn", steps: "6", seed: "0" });
  const up = ["upscale", at("photos/1.png"), "--model", at("run"), "--runtime", "cpu"];
  expect((await cli(up)).out).toContain("1-x2-srcnn.png  96×80");
});

test("Ctrl-C saves, tells how to go on, and exits with 130; going on gives the weights of one run", async () => {
  const at = await prepare();
  const argv = (run: string) => ["train", "srcnn", "--data", at("photos"), "--run", at(run), "--steps", "6", ...small];
  expect((await cli(argv("whole"))).code).toBe(0);

  const controller = new AbortController();
  const lines: string[] = [];
  const err = (text: string): void => {
    lines.push(text);
    if (text.startsWith("step 2/")) controller.abort();
  };
  const io = { out: () => {}, err, isTerminal: false, signal: controller.signal };
  expect(await main(argv("parts"), io, testPlatform())).toBe(130);
  expect(lines.join("")).toContain(`Go on with: imago train --resume ${at("parts")}\n`);

  const { code, out } = await cli(["train", "--resume", at("parts"), "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    step: 6,
    steps: 6,
    interrupted: false,
    weights: `${at("parts")}/weights.safetensors`,
  });
  expect(await readFile(at("parts/weights.safetensors"))).toEqual(await readFile(at("whole/weights.safetensors")));

  const less = await cli(["train", "--resume", at("parts"), "--steps", "5"]);
  expect(less).toMatchObject({
    code: 2,
    err: expect.stringContaining("--steps: expected at least the 6 that the run has taken, got 5"),
  });
  const more = await cli(["train", "--resume", at("parts"), "--steps", "7"]);
  expect(more.code).toBe(0);
});

test("a GAN's lines show gradient norms and diversity; its alarm, its best weights and its animation are told", async () => {
  const at = await prepare();
  const few = ["--data", "shapes", "--size", "16", "--log", "50", "--runtime", "cpu", "--threads", "1"];
  const judge = ["--classes", "8", "--features", "4", "--steps", "5", "--run", at("judge")];
  expect((await cli(["train", "classifier", ...few, ...judge])).code).toBe(0);
  const options = ["--loss", "hinge", "--batch", "32", "--learning-rate", "1", "--steps", "300", "--sample", "50"];
  const best = ["--judge", at("judge"), "--keep-best", "kid", "--run", at("run")];
  const { code, out, err } = await cli(["train", "gan", ...few, ...options, ...best]);
  expect({ code, out }).toEqual({ code: 0, out: `${at("run")}/weights.safetensors\n` });
  expect(err).toMatch(/step 50\/300 {2}accuracy [\d.e-]+ {2}discriminator [\d.e+-]+ \|∇\| [\d.e+-]+ {2}generator [\d.e+-]+ \|∇\| [\d.e+-]+ {2}\d+ images\/s/); // biome-ignore format: one line
  expect(err).toMatch(/step 50 {2}diversity [\d.e-]+ {2}kid -?[\d.e+-]+\n/);
  expect(err.match(/step \d+ {2}WARNING: samples are \d+ % alike [^\n]*\.\n/g)?.length).toBe(1);
  expect(err).toContain(`Samples one after the other: ${at("run")}/samples.webp\n`);
  expect(err).toMatch(/Best by kid \(-?[\d.e+-]+ at step \d+\): .*\/run\/best\.safetensors\n/);
  const shown = JSON.parse((await cli(["models", "show", at("run/best.safetensors"), "--json"])).out) as object;
  expect(shown).toMatchObject({ model: "gan-generator", best: "kid" });
});

test("--profile says where a step's time goes, and writes nothing", async () => {
  const at = await prepare();
  const argv = ["train", "srcnn", "--data", at("photos"), ...small, "--run", at("run")];
  const { code, out, err } = await cli([...argv, "--profile", "2"]);
  expect(code).toBe(0);
  expect(err).not.toContain(at("run"));
  const [kinds, layers, steps] = out.split("\n\n") as [string, string, string];
  expect(kinds).toMatch(
    /^kind +forward ms +backward ms +ms +share %\n(.*\n)*arithmetic +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+$/m,
  );
  expect(kinds).toMatch(/\noptimizer +– +– +[\d.]+/);
  expect(kinds).toMatch(/\nwaiting for data +– +– +[\d.]+ +[\d.]+\nthe whole step +– +– +[\d.]+ +100\.0$/);
  expect([...layers.matchAll(/^srcnn\/(\w+) +[\d.]+ +[\d.]+/gm)].map(([, layer]) => layer).sort()).toEqual(
    ["extract", "map", "rebuild"], // biome-ignore format: one line
  );
  expect(steps).toMatch(/^2 steps without the profiler: median [\d.]+ ms, worst [\d.]+ ms \([\d.]+ × the median\)\n/);
  expect(steps).toMatch(/waiting for data [\d.]+ % of the time, peak memory of the process \d+ MB\n$/);

  const few = ["--size", "8", "--classes", "8", "--features", "4", "--runtime", "cpu", "--threads", "1"];
  const json = await cli(["train", "classifier", "--data", "shapes", ...few, "--json", "--profile"]);
  expect(JSON.parse(json.out)).toMatchObject({ recipe: "classifier", steps: 20, profiled: { runtime: { runs: 20 } } });
  expect((await readdir(at())).sort()).toEqual(["photos"]);

  const refused = await cli([...argv.with(argv.indexOf("cpu"), "reference"), "--profile"]);
  expect(refused).toMatchObject({
    code: 2,
    err: expect.stringContaining("expected cpu for a profile, got reference."),
  });
  const wrong = await cli([...argv, "--profile", "0"]);
  expect(wrong.err).toContain("--profile: expected a whole number from 1 to 100000, got 0.");
});

test("the recipe is the argument, not any word that is a recipe's name", async () => {
  const at = await prepare();
  const few = ["--data", "shapes", "--width", "4", "--batch", "2", "--dry-run", "--json", "--runtime", "cpu"];
  for (const argv of [
    ["dcgan", ...few, "--run", "gan"],
    [...few, "--run", "gan", "dcgan"],
  ]) {
    const { code, out } = await cli(["train", ...argv]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ recipe: "dcgan", options: { size: 32, channels: 3, width: 4 } });
  }
  const wrong = await cli(["train", "--run", at("gan"), "--data", "gan", "--hidden", "9"]);
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("--hidden: expected a flag of imago train") });
});
