import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isSamePicture } from "../../src/image/picture.ts";
import { readPicture, writePicture } from "../../src/platform/codec.ts";
import { version } from "../../src/platform/version.ts";
import { publicText } from "../../src/tasks/common/record.ts";
import { readSafetensors, writeSafetensors } from "../../src/tensor/safetensors.ts";
import { photograph, temporaryFolder, tinyBytes } from "../tasks/support.ts";
import { cli, type Result } from "./support.ts";

const shipped = fileURLToPath(new URL("../../models", import.meta.url));
const sumOf = async (path: string): Promise<string> => createHash("sha256").update(await readFile(path)).digest("hex"); // biome-ignore format: one line

/** A user with a name of her own, whose home holds pictures and a model that are called after her. */
const user = "quintessa";
let home = "";
const before = { home: process.env.HOME, cwd: process.cwd() };
const at = (...names: string[]): string => join(home, ...names);

beforeEach(async () => {
  const root = await temporaryFolder();
  home = join(root, "houses", user);
  for (const name of ["photos", "models", "out", "runs"]) await mkdir(at(name), { recursive: true });
  await writePicture(at("photos/a.png"), photograph(40, 30, 1));
  await writePicture(at("photos/b.jpg"), photograph(40, 30, 2));
  await writeFile(at("models/tiny-x2.safetensors"), tinyBytes());
  await writeFile(at(`${user}.safetensors`), tinyBytes({ seed: 2 }));
  process.env.HOME = home;
});
afterEach(() => {
  process.env.HOME = before.home;
  process.chdir(before.cwd);
});

const run = (...argv: string[]): Promise<Result> => cli(argv, { models: at("models") });
const works = async (...argv: string[]): Promise<string> => {
  const { code, out, err } = await run(...argv);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out;
};
const shown = async (path: string) => JSON.parse(await works("show", path, "--json"));
const fails = async (pattern: string | RegExp, ...argv: string[]): Promise<void> => {
  const { code, out, err } = await run(...argv);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(pattern);
};

describe("imago show", () => {
  test("prints task, options, models and version of a picture", async () => {
    await works("upscale", at("photos/a.png"), "--model", "tiny", "-o", at("out/large.png"));
    expect(await shown(at("out/large.png"))).toEqual({
      software: "imago",
      version: version(),
      task: "upscale",
      options: { model: "tiny-x2", convention: "matlab", tile: 256 },
      models: [{ name: "tiny-x2", sha256: await sumOf(at("models/tiny-x2.safetensors")) }],
    });
    const text = await works("show", at("out/large.png"));
    expect(text).toMatch(/^made by +imago [\d.]+\ntask +upscale\nmodel +tiny-x2\n/);
    expect(text).toMatch(/\nweights +tiny-x2, sha256 [0-9a-f]{64}\n$/);
  });

  test("what enlarges where nothing was named is told", async () => {
    await works("upscale", at("photos/a.png"), "-o", at("out/a.png"));
    expect((await shown(at("out/a.png"))).options).toMatchObject({ method: "bicubic" });
  });

  test("files that do not tell are refused, and --no-metadata makes such", async () => {
    await works("upscale", at("photos/b.jpg"), "--method", "lanczos", "--no-metadata", "-o", at("out/b.jpg"));
    for (const name of ["photos/a.png", "out/b.jpg"])
      await fails(/expected a file that says what made it, got one that does not/, "show", at(name));
    expect((await readFile(at("out/b.jpg"))).includes("imago")).toBe(false);
    await fails(/none\.png: expected a file, got nothing with that name/, "show", at("none.png"));
  });
});

describe("models", () => {
  test.each(["onnx", "safetensors"])("an exported .%s tells what made it and keeps its card", async (ending) => {
    const file = at(`out/mine.${ending}`);
    await works("export", "tiny", "--half", "-o", file);
    const model = { name: "tiny-x2", sha256: await sumOf(at("models/tiny-x2.safetensors")) };
    const { card, ...made } = await shown(file);
    expect(made).toMatchObject({ task: "exportModel", options: { model: "tiny-x2", half: true }, models: [model] });
    expect(card).toMatchObject({ format: "imago", model: "srcnn" });
    expect(Object.keys(card)).not.toContain("provenance");
    expect(await works("show", file)).toMatch(
      /\ntask +exportModel\n.*\nweights +tiny-x2, sha256 [0-9a-f]{64}\n\n.*\nmodel +srcnn\n/s,
    );
    await works("export", file, "--no-metadata", "--force", "-o", file);
    expect(Object.keys(await shown(file))).toEqual(["card"]);
    await works("upscale", at("photos/a.png"), "--model", file, "-o", at("out/a.png"));
  });

  test("a model without a record shows its card; weights of others that say nothing are refused", async () => {
    expect(await works("show", at("models/tiny-x2.safetensors"))).toMatch(/^format +imago\nmodel +srcnn\n/);
    await writeFile(at("out/bare.safetensors"), writeSafetensors({}));
    await fails(/bare\.safetensors: expected a file that says what made it/, "show", at("out/bare.safetensors"));
    await writeFile(at("out/cut.safetensors"), tinyBytes().subarray(0, 40));
    await fails(/cut\.safetensors: expected a header of at most/, "show", at("out/cut.safetensors"));
  });
});

describe("--like", () => {
  test.each(["png", "jpg", "webp", "tif", "avif"])("repeats what a .%s tells, pixel for pixel", async (ending) => {
    const [first, again] = [at(`out/first.${ending}`), at(`out/again.${ending}`)];
    const options = ["--method", "lanczos", "--scale", "1.5", "--convention", "pillow"];
    await works("upscale", at("photos/a.png"), ...options, "-o", first);
    await works("upscale", at("photos/a.png"), "--like", first, "-o", again);
    expect(isSamePicture(await readPicture(again), await readPicture(first))).toBe(true);
    expect(await shown(again)).toEqual(await shown(first));
  });

  test("flags that are given win, and a method takes a model's place", async () => {
    const first = at("out/first.png");
    await works("upscale", at("photos/a.png"), "--model", "tiny-x2", "-o", first);
    await works("upscale", at("photos/b.jpg"), "--like", first, "--method", "nearest", "--scale=3", "-o", at("out/2.png")); // biome-ignore format: one line
    expect((await shown(at("out/2.png"))).options).toEqual({ scale: 3, method: "nearest", convention: "matlab", tile: 256 }); // biome-ignore format: one line
    expect((await readPicture(at("out/2.png"))).width).toBe(120);
  });

  test("generated pictures: a sheet, files in a folder, a walk", async () => {
    for (const name of ["dcgan-mnist", "cgan-mnist"])
      await copyFile(join(shipped, `${name}.safetensors`), at(`models/${name}.safetensors`));
    const seeded = ["--model", "dcgan-mnist", "--count", "3", "--seed", "5", "--runtime", "cpu"];
    await works("generate", ...seeded, "-o", at("out/first.png"));
    await works("generate", "--like", at("out/first.png"), "--runtime", "cpu", "-o", at("out/again.png"));
    const [first, again] = await Promise.all(["first", "again"].map((name) => readPicture(at(`out/${name}.png`))));
    expect(isSamePicture(first!, again!)).toBe(true);
    expect(await shown(at("out/first.png"))).toMatchObject({
      task: "generate",
      options: { model: "dcgan-mnist", count: 3, seed: 5 },
      models: [{ name: "dcgan-mnist", sha256: await sumOf(join(shipped, "dcgan-mnist.safetensors")) }],
    });
    await works("generate", "--like", at("out/first.png"), "--seed", "6", "--runtime", "cpu", "-o", at("out/other.png")); // biome-ignore format: one line
    expect(isSamePicture(await readPicture(at("out/other.png")), first!)).toBe(false);
    await works("generate", "--model", "cgan-mnist", "--class", "3,7", "--count", "1", "--runtime", "cpu", "-o", at("out/each/")); // biome-ignore format: one line
    for (const name of await readdir(at("out/each")))
      expect((await shown(at("out/each", name))).options.class).toEqual(["3", "7"]);
    for (const walk of ["out/walk.gif", "out/walk.webp"]) {
      await works("generate", ...seeded, "--interpolate", "0,1", "-o", at(walk));
      expect((await shown(at(walk))).options.interpolate).toEqual([0, 1]);
    }
  });

  test("a comparison and a rebuilt sheet", async () => {
    await works("compare", at("photos/a.png"), "--model", "tiny", "--scale", "2", "-o", at("out/c.png"));
    expect(await shown(at("out/c.png"))).toMatchObject({ task: "compare", options: { model: ["tiny-x2"], scale: 2 } });
    await works("compare", at("photos/a.png"), "--like", at("out/c.png"), "-o", at("out/d.png"));
    expect(isSamePicture(await readPicture(at("out/c.png")), await readPicture(at("out/d.png")))).toBe(true);
  });

  test("is refused for files of other tasks and for those that tell nothing", async () => {
    await works("upscale", at("photos/a.png"), "--model", "tiny-x2", "-o", at("out/first.png"));
    await fails(/a\.png: expected a file that says what made it/, "upscale", at("photos/a.png"), "--like", at("photos/a.png")); // biome-ignore format: one line
    await fails(/first\.png: expected a file that imago compare made, got one of imago upscale\./, "compare", at("photos/a.png"), "--like", at("out/first.png")); // biome-ignore format: one line
  });

  test("is refused where the model is another one or not there; naming one helps", async () => {
    const [first, model] = [at("out/first.png"), at("models/tiny-x2.safetensors")];
    await works("upscale", at("photos/a.png"), "--model", "tiny-x2", "-o", first);
    const old = await sumOf(model);
    await writeFile(model, tinyBytes({ seed: 9 }));
    const again = ["upscale", at("photos/a.png"), "--like", first, "-o", at("out/again.png")];
    await fails(
      `first.png: expected the model tiny-x2 (sha256 ${old}), got another one of that name (sha256 ${await sumOf(model)}). Name the model yourself.`,
      ...again,
    );
    await rm(model);
    await fails(/got none of that name, shipped, in runs\/ or here\. Name the model/, ...again);
    await works(...again, "--model", at(`${user}.safetensors`));
  });

  test("models of runs and of files are found by their last name", async () => {
    process.chdir(home);
    await mkdir(at("runs/mine"));
    await writeFile(at("runs/mine/weights.safetensors"), tinyBytes({ seed: 4 }));
    await writeFile(at("own.safetensors"), tinyBytes({ seed: 5 }));
    for (const model of ["runs/mine", at("own.safetensors")]) {
      await works("upscale", "photos/a.png", "--model", model, "-o", "out/first.png", "--force");
      await works("upscale", "photos/a.png", "--like", "out/first.png", "-o", "out/again.png", "--force");
      expect(isSamePicture(await readPicture("out/first.png"), await readPicture("out/again.png"))).toBe(true);
    }
    expect((await shown("out/first.png")).models[0].name).toBe("own.safetensors");
  });
});

describe("reports", () => {
  const evaluate = (output: string, ...more: string[]) =>
    works("evaluate", "--data", at("photos"), "--model", "tiny", "--scale", "2", "-o", at(output), ...more);

  test("JSON has a field; tables have a file beside them, which goes where it is not wanted any more", async () => {
    await evaluate("out/report.json");
    const report = JSON.parse(await readFile(at("out/report.json"), "utf8"));
    expect(Object.keys(report)).toEqual(["means", "pictures", "provenance"]);
    expect(await shown(at("out/report.json"))).toEqual(report.provenance);
    await evaluate("out/report.csv");
    expect((await readdir(at("out"))).sort()).toEqual(["report.csv", "report.csv.imago.json", "report.json"]);
    expect(await shown(at("out/report.csv"))).toMatchObject({
      task: "evaluate",
      options: { data: "photos", scale: [2] },
    });
    await evaluate("out/report.csv", "--no-metadata", "--force");
    expect((await readdir(at("out"))).sort()).toEqual(["report.csv", "report.json"]);
  });
});

const training = (name: string, ...more: string[]) => ["train", "srcnn", "--data", at("photos"), "--run", at("runs", name), "--sample", "2", "--runtime", "cpu", ...more]; // biome-ignore format: one line
const decisive = ["--form", "9-1-5", "--patch", "16", "--batch", "1", "--steps", "2", "--seed", "7"];

test("samples of a training carry recipe, options, seed, data and step", async () => {
  const argv = training("x", ...decisive);
  expect((await run(...argv)).code).toBe(0);
  const described = JSON.parse(await readFile(at("runs/x/options.json"), "utf8"));
  for (const name of ["samples/000002.png", "loss.png"])
    expect(await shown(at("runs/x", name))).toMatchObject({
      task: "train",
      options: { recipe: "srcnn", form: "9-1-5", patch: 16, steps: 2, seed: 7 },
      data: { count: 2, sha256: described.data.sha256 },
      step: 2,
    });
  const { card, ...made } = await shown(at("runs/x/weights.safetensors"));
  expect(made).toMatchObject({ task: "train", options: { recipe: "srcnn", patch: 16, seed: 7 } });
  expect(card).toMatchObject({ recipe: "srcnn", steps: "2" });
  const bare = argv.map((word) => (word === at("runs/x") ? at("runs/y") : word));
  expect((await run(...bare, "--no-metadata")).code).toBe(0);
  await fails(/one that does not/, "show", at("runs/y/samples/000002.png"));
  for (const name of ["samples/000002.png", "loss.png"])
    expect(isSamePicture(await readPicture(at("runs/x", name)), await readPicture(at("runs/y", name)))).toBe(true);
});

test("a training is repeated from its weights or a sample, by the same recipe, not where a run goes on", async () => {
  await run(...training("start", ...decisive.with(-1, "5")));
  const first = [...decisive, "--start", at("runs/start"), "--accumulate", "1"];
  expect((await run(...training("x", ...first))).code).toBe(0);
  process.chdir(home);
  for (const [i, name] of ["weights.safetensors", "samples/000002.png"].entries()) {
    expect(await run(...training(`y${i}`, "--like", at("runs/x", name)))).toMatchObject({ code: 0 });
    const [a, b] = ["x", `y${i}`].map((one) => at("runs", one, "weights.safetensors"));
    expect(readSafetensors(await readFile(b!)).tensors).toEqual(readSafetensors(await readFile(a!)).tensors);
    expect((await shown(b!)).models).toEqual([{ name: "start", sha256: await sumOf(at("runs/start/weights.safetensors")) }]); // biome-ignore format: one line
  }
  const like = ["--like", at("runs/x/weights.safetensors")];
  await fails(/expected a file that imago train vae made, got one of imago train srcnn\./, "train", "vae", "--data", "shapes", ...like); // biome-ignore format: one line
  await fails(/^--like: expected none with --resume/, "train", "srcnn", "--resume", at("runs/x"), ...like);
});

test("the demo's pictures tell their options and the networks that took part", async () => {
  await works("demo", "-o", at("out"), "--width", "120", "--height", "96", "--seed", "3", "--json");
  const drawn = { width: 120, height: 96, seed: 3 };
  expect(await shown(at("out/original.png"))).toMatchObject({ task: "demo", options: drawn, models: [] });
  expect(await shown(at("out/comparison.png"))).toMatchObject({ options: drawn, models: [{ name: "tiny-x2" }] });
});

describe("privacy", () => {
  test("no byte of an output tells a path of the machine or the user's name", async () => {
    const own = ["--model", at(`${user}.safetensors`)];
    for (const ending of ["png", "jpg", "webp", "tif", "avif"])
      await works("upscale", at("photos/a.png"), ...own, "-o", at(`out/${ending}.${ending}`));
    await works("compare", at("photos/a.png"), ...own, "--scale", "2", "-o", at("out/compare.png"));
    await mkdir(at(user));
    await copyFile(at("photos/a.png"), at(user, "a.png"));
    const judged = ["evaluate", "--data", at(user), "--method", "bicubic", "--scale", "2"];
    for (const ending of ["csv", "json"]) await works(...judged, "-o", at(`out/report.${ending}`));
    const files = await readdir(at("out"));
    expect(files).toHaveLength(9);
    for (const name of files) {
      const bytes = (await readFile(at("out", name))).toString("latin1").toLowerCase();
      for (const secret of [home, user, "houses", before.home!, before.cwd])
        expect(bytes.includes(secret.toLowerCase()), `${name} holds ${secret}`).toBe(false);
    }
    expect((await shown(at("out/png.png"))).models[0].name).toBe("user.safetensors");
    expect((await shown(at("out/report.csv"))).options.data).toBe("user");
  });

  test("a home folder, a folder of Windows, names in other scripts and beside signs", () => {
    const of = (text: string) => publicText(text, { privateNames: ["anna", "Ömer"] });
    expect(of("/home/anna")).toBe("user");
    expect(of("C:\\Users\\Anna\\set 5\\")).toBe("set 5");
    expect(of("~/x/Anna-2.safetensors")).toBe("user-2.safetensors");
    expect(of("/data/ömer_1")).toBe("user_1");
    expect(of("annamodel, hannah")).toBe("annamodel, hannah");
    expect(of("photos/*.jpg")).toBe("*.jpg");
  });
});
