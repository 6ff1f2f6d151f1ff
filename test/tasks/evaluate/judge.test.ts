import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mean, reshape } from "../../../src/engine/index.ts";
import { modelOf } from "../../../src/modelFiles/model.ts";
import { writeOnnx } from "../../../src/modelFiles/onnx.ts";
import { packModel } from "../../../src/modelFiles/own.ts";
import { classifier } from "../../../src/models/classifier.ts";
import { ganDiscriminator, ganGenerator } from "../../../src/models/gan.ts";
import { vae } from "../../../src/models/vae.ts";
import { initialWeights, network } from "../../../src/nn/model.ts";
import type { Use } from "../../../src/nn/use.ts";
import { readPicture } from "../../../src/platform/codec.ts";
import { judge } from "../../../src/tasks/evaluate/judge.ts";
import { cli } from "../../cli/support.ts";
import { temporaryFolder, testPlatform, tinyBytes } from "../support.ts";

const cpu = { name: "cpu", threads: 1 } as const;
const platform = testPlatform();
const square = { size: 8, channels: 1 } as const;

/** A generator of two classes, a judge, a discriminator and a feature network in a folder. */
async function models() {
  const folder = await temporaryFolder();
  const at = (name: string) => join(folder, name);
  const write = async (name: string, made: ReturnType<typeof network>, usage: Use) =>
    writeFile(at(name), packModel(modelOf(made, initialWeights([made], 2), usage, made.key)));
  const generator = network(ganGenerator, { ...square, latent: 3, classes: 2, hidden: [6] });
  await write("g.safetensors", generator, { task: "generate", ...square, latent: 3, classes: 2 });
  const judging = network(classifier, { ...square, classes: 8, features: 5 });
  await write("judge.safetensors", judging, { task: "classify", ...square, classes: 8 });
  await write("d.safetensors", network(ganDiscriminator, square), { task: "discriminate", ...square });
  const features = writeOnnx(
    (x) => reshape(mean(x, [2]), [x.shape[0]!, -1]),
    {},
    { example: [1, 3, 9, 9], metadata: {}, name: "features" },
  );
  await writeFile(at("f.onnx"), features);
  await writeFile(at("up.safetensors"), tinyBytes());
  return at;
}

test("a generator by a classifier: figures, what they stand on, and the nearest training pictures", async () => {
  const at = await models();
  const asked = { model: at("g.safetensors"), data: "shapes", count: 20, seed: 4 };
  const judged = await judge({ ...asked, judge: at("judge.safetensors") }, platform, cpu);
  expect(judged.features).toBe("the 5 features of classifier judge.safetensors");
  expect(Object.keys(judged.figures).slice(0, 4)).toEqual(["accuracy", "fid", "fid of training pictures", "kid"]);
  expect(judged.figures).toMatchObject({
    pictures: 20,
    "training pictures searched, pixels": 10_000,
    "training pictures searched, features": 10_000,
  });
  expect(Object.values(judged.figures).every(Number.isFinite)).toBe(true);
  expect(judged.figures["the same of test pictures, pixels"]).toBeLessThan(
    judged.figures["nearest training picture, pixels"]!,
  ); // an untrained generator makes gray noise
  expect(judged.sheet).toMatchObject({ width: 16 * (8 * 12 + 2) + 2, height: 3 * (8 * 12 + 2) + 2 });
  const progress: string[] = [];
  const onProgress = (what: string, done: number, total: number) => void progress.push(`${what} ${done}/${total}`);
  const other = await judge({ ...asked, features: at("f.onnx"), featureSize: 9 }, platform, { ...cpu, onProgress });
  expect(other.features).toMatch(/^the 27 features of .*f\.onnx \(range unit\), clean resize from 8 to 9 pixels$/);
  expect(other.figures).not.toHaveProperty("accuracy");
  expect(other.figures["training pictures searched, features"]).toBe(20);
  expect(progress).toEqual(["made", "test", "training"].map((what) => `features of ${what} pictures 20/20`));
  const both = { ...asked, judge: at("judge.safetensors"), features: at("f.onnx"), featureSize: 9 };
  expect((await judge(both, platform, cpu)).figures).toEqual({
    accuracy: judged.figures.accuracy,
    ...other.figures,
  });
});

test("a variational autoencoder by the ELBO too", async () => {
  const path = join(await temporaryFolder(), "vae.safetensors");
  const made = network(vae, { ...square, latent: 3 });
  const zero = initialWeights([made], 2);
  for (const { data } of Object.values(zero)) data.fill(0 as never);
  await writeFile(path, packModel(modelOf(made, zero, { task: "reconstruct", ...square, latent: [3] }, made.key)));
  const { figures } = await judge({ model: path, data: "shapes", count: 300 }, platform, cpu);
  expect(figures.reconstruction).toBeCloseTo(64 * Math.log(2), 3); // every pixel is as likely dark as light
  expect(figures.divergence).toBeCloseTo(0, 5);
  expect(figures.elbo).toBeCloseTo(-64 * Math.log(2), 3);
});

test("a discriminator by its scores of real pictures", async () => {
  const at = await models();
  const { figures } = await judge({ model: at("d.safetensors"), data: "shapes", count: 300 }, platform, cpu);
  expect(figures.pictures).toBe(300);
  expect(figures["probability of test pictures"]).toBeCloseTo(
    1 / (1 + Math.exp(-figures["score of test pictures"]!)),
    2,
  );
});

test("what cannot be judged is refused", async () => {
  const at = await models();
  const model = at("g.safetensors");
  await expect(judge({ model, data: "shapes" }, platform, cpu)).rejects.toThrow("got neither");
  const wrong = { model, data: "shapes", features: at("judge.safetensors") };
  await expect(judge(wrong, platform, cpu)).rejects.toThrow("expected a model that gives features of pictures");
  await expect(judge({ model: at("up.safetensors"), data: "shapes" }, platform, cpu)).rejects.toThrow(
    'got one that enlarges pictures. Use evaluate with "scale".',
  );
});

describe("imago evaluate", () => {
  const argv = ["evaluate", "--data", "shapes", "--count", "8", "--runtime", "cpu", "--threads", "1"];

  test("writes reports and the sheet", async () => {
    const at = await models();
    const judged = [...argv, "--model", at("g.safetensors"), "--judge", at("judge.safetensors")];
    const { out, code } = await cli([...judged, "--json", "-o", at("r.csv"), "--sheet", at("sheet.png")]);
    expect(code).toBe(0);
    const [one] = (JSON.parse(out) as { models: Record<string, unknown>[] }).models;
    expect(one).toMatchObject({ model: "g.safetensors", pictures: 8 });
    const stands = "the 5 features of classifier judge.safetensors";
    expect(one!.features).toBe(stands);
    const lines = (await readFile(at("r.csv"), "utf8")).trim().split("\n");
    expect(lines[0]).toBe("model,figure,value,features");
    expect(lines).toContain(`g.safetensors,fid,${one!.fid},${stands}`);
    expect((await readPicture(at("sheet.png"))).width).toBe(8 * (8 * 12 + 2) + 2);
    expect((await cli([...judged, "-o", at("r.csv")])).err).toContain("already there");
    const text = await cli([...argv, "--model", `${at("d.safetensors")},${at("g.safetensors")}`, "--judge", at("judge.safetensors"), "-o", at("r.md")]); // biome-ignore format: one line
    expect(text.out).toContain(`\non ${stands}\n`);
    const report = await readFile(at("r.md"), "utf8");
    expect(report).toContain("| d.safetensors | value |");
    expect(report).toContain(`\nOn ${stands}.\n`);
  });

  test("a sheet is of one generator; a report has a known ending", async () => {
    const at = await models();
    const both = `${at("d.safetensors")},${at("g.safetensors")}`;
    expect((await cli([...argv, "--model", both, "--sheet", at("s.png")])).err).toContain("expected one model to draw");
    const one = await cli([...argv, "--model", at("d.safetensors"), "--sheet", at("s.png")]);
    expect(one.err).toContain("--sheet: expected a generator");
    const odd = await cli([...argv, "--model", at("d.safetensors"), "-o", at("r.pdf")]);
    expect(odd.err).toContain("ending in .csv, .md or .json");
  });
});
