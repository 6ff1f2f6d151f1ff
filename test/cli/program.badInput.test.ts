import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeBadFiles } from "./badFiles.ts";
import { cli, contentOf } from "./support.ts";

let root = "";
const at = (...names: string[]): string => join(root, ...names);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "imago-bad-"));
  await makeBadFiles(root);
});

afterAll(async () => {
  await chmod(at("locked"), 0o700);
  await rm(root, { recursive: true, force: true });
});

/** Arguments in which "@name" stands for a path in the test's folder; and what the message must say. */
type Case = readonly [what: string, argv: string, message: RegExp];

const upscales: readonly Case[] = [
  ["no picture named", "", /imago upscale: expected pictures, got none/],
  ["a missing file", "@gone.png", /gone\.png: expected .*got nothing/],
  ["an empty file", "@empty.png", /empty\.png: expected .*got an empty file/],
  ["text named .png", "@text.png", /text\.png: expected .*got something else/],
  ["a PNG cut short", "@cut.png", /cut\.png: expected .*complete\?/],
  ["a JPEG cut short", "@cut.jpg", /cut\.jpg: expected .*(complete\?|right\?)/],
  ["a PNG that claims 60000×60000", "@claims.png", /claims\.png: expected at most .*60000×60000/],
  ["a folder without pictures", "@none", /none: expected a folder with pictures, got one without/],
  ["a pattern that nothing fits", "@none/*.png", /expected a pattern that pictures fit/],
  [
    "weights that are not numbers",
    "@good.png --model @nan.safetensors",
    /nan\.safetensors: expected finite numbers, got NaN/,
  ],
  [
    "weights of another model",
    "@good.png --model @other.safetensors",
    /other\.safetensors: expected weights of srcnn, .*, got other/,
  ],
  [
    "a model of another version",
    "@good.png --model @unknown.safetensors",
    /expected a model of this version \(one of srcnn.*got rdn/,
  ],
  ["a format of the future", "@good.png --model @future.safetensors", /expected format version 1, got 9/],
  [
    "a tensor of another shape",
    "@good.png --model @misshapen.safetensors",
    /expected srcnn weights with map\.bias \[4\], got \[3\]/,
  ],
  ["a tensor too many", "@good.png --model @extra.safetensors", /expected weights of srcnn alone, got more\.bias/],
  ["options that no model takes", "@good.png --model @options.safetensors", /expected options that srcnn takes/],
  ["a usage that is no JSON", "@good.png --model @usage.safetensors", /expected a usage/],
  ["a header that lies", "@good.png --model @lying.safetensors", /expected a header of at most/],
  ["weights cut short", "@good.png --model @short.safetensors", /short\.safetensors: expected/],
  ["a run's checkpoint", "@good.png --model @checkpoint.safetensors", /expected a model, got a run's checkpoint/],
  [
    "foreign weights without a scale",
    "@good.png --model @foreign.safetensors",
    /expected to be told what .* enlarge by/,
  ],
  ["an ONNX file that is no network", "@good.png --model @no.onnx", /no\.onnx: expected/],
  ["a picture as a model", "@good.png --model @good.png", /expected a model file ending in/],
  ["a run without weights", "@good.png --model @run", /expected a run's folder with weights\.safetensors/],
  ["an unknown model", "@good.png --model rdn-x2", /--model: expected a shipped model, .*got "rdn-x2"/],
  ["a model for another scale", "@good.png --model tiny-x2 --scale 3", /expected the scale 2 .*got 3/],
  ["a method and a model", "@good.png --method bicubic --model tiny-x2", /expected a method or a model/],
  ["an unknown method", "@good.png --method cubic", /--method: expected one of nearest, .*got cubic/],
  ["an unknown runtime", "@good.png --runtime cuda", /--runtime: expected one of cpu, .*got cuda/],
  ["an unknown flag", "@good.png --tiel 64", /--tiel: expected a flag of imago upscale.*Did you mean --tile\?/],
  [
    "a flag without its value",
    "@good.png --tile",
    /--tile: expected a whole number from 32 to 1024 \(pixels\), got nothing/,
  ],
  [
    "a part of a pixel",
    "@good.png --tile 12.5",
    /^--tile: expected a whole number from 32 to 1024 \(pixels\), got 12\.5\.\n$/,
  ],
  [
    "a word for a number",
    "@good.png --tile wide",
    /--tile: expected a whole number from 32 to 1024 \(pixels\), got wide/,
  ],
  ["scale 0", "@good.png --scale 0", /--scale: expected a number from 1 to 32, got 0\.\n/],
  ["scale −1", "@good.png --scale -1", /--scale: expected a number from 1 to 32, got -1\./],
  ["scale NaN", "@good.png --scale NaN", /--scale: expected a number from 1 to 32, got NaN\./],
  ["scale 1e9", "@good.png --scale 1e9", /--scale: expected a number from 1 to 32, got 1000000000\./],
  ["an empty scale", "@good.png --scale=", /--scale: expected a number from 1 to 32, got ""/],
  [
    "a result too large",
    "@large.png --scale 32 --method bicubic",
    /--scale: expected a result of at most .*22400×22400/,
  ],
  ["quality 101", "@good.png --quality 101", /--quality: expected a whole number from 1 to 100, got 101/],
  ["an unknown format", "@good.png --format bmp", /--format: expected one of png, .*got bmp/],
  ["no folder to write to", "@good.png --method bicubic -o @gone/x.png", /gone is not there/],
  ["no folder for results", "@good.png --method bicubic -o @gone/", /--output: expected a folder that is there/],
  [
    "one file for two results",
    "@good.png @large.png --method bicubic -o @x.png",
    /--output: expected a folder for several/,
  ],
  ["a name that says no format", "@good.png --method bicubic -o @x.xyz", /--output: expected a name ending in/],
  ["a result that is there", "@good.png --method bicubic -o @large.png", /large\.png: .*already there. Pass --force/],
  ["output = input", "@good.png --method bicubic -o @good.png --force", /expected an output beside the input/],
  ["transparency in JPEG", "@clear.png --method bicubic --format jpeg", /JPEG cannot hold transparency/],
];

const data = "--data @good --run @new";
const trains: readonly Case[] = [
  ["no recipe", data, /imago train: expected a recipe \(srcnn/],
  ["an unknown recipe", `srgann ${data}`, /recipe: expected one of srcnn.*got "srgann"/],
  ["no data", "srcnn --run @new", /--data: expected .*got nothing/],
  ["data that is not there", "srcnn --data @gone --run @new", /gone: expected/],
  ["data without pictures", "srcnn --data @none --run @new", /none: expected a folder with pictures/],
  [
    "pictures smaller than the patch",
    "srcnn --data @small --run @new",
    /expected at least 96×96 pixels for a patch, got 20×20/,
  ],
  ["only broken pictures", "srcnn --data @broken --run @new --patch 16", /cut\.jpg: expected/],
  ["a part of a step", `srcnn ${data} --steps 1.5`, /--steps: expected a whole number from 1 to .*got 1\.5/],
  ["no step", `srcnn ${data} --steps 0`, /--steps: expected .*got 0/],
  ["a seed below zero", `srcnn ${data} --seed -1`, /--seed: expected .*got -1/],
  [
    "an option of the recipe out of range",
    `srcnn ${data} --patch 8`,
    /--patch: expected a whole number from 16 to 512 \(pixels\), got 8/,
  ],
  ["a scale that the recipe lacks", `srcnn ${data} --scale 5`, /--scale: expected one of 2, 3 and 4, got 5/],
  ["a form that the recipe lacks", `srcnn ${data} --form 9-9-9`, /--form: expected one of 9-1-5, .*got 9-9-9/],
  ["no learning rate", `srcnn ${data} --learning-rate 0`, /--learning-rate: expected a number above 0/],
  ["an unknown flag", `srcnn ${data} --epochs 3`, /--epochs: expected a flag of imago train/],
  ["too many arguments", `srcnn more ${data}`, /imago train: expected 1 argument, got 2/],
  [
    "a run that exists",
    "srcnn --data @good --run @run --patch 16",
    /run: expected a new folder, got a run that exists/,
  ],
  [
    "a folder that holds something",
    "srcnn --data @good --run @emptyRun --patch 16",
    /expected a new or empty folder, got one with/,
  ],
  ["a file in place of the run", "srcnn --data @good --run @file --patch 16", /file: expected/],
  ["nothing to validate with", `srcnn ${data} --patch 16 --validate @none`, /none: expected a folder with pictures/],
  [
    "too small to validate with",
    `srcnn ${data} --patch 16 --scale 4 --validate @small`,
    /expected at least 23×23 pixels to score, got 20×20/,
  ],
  ["an unknown runtime", `srcnn ${data} --runtime tpu`, /--runtime: expected one of/],
  ["--resume of nothing", "--resume @gone", /gone: expected a run/],
  ["--resume of a folder that is no run", "--resume @good", /good: expected a run with options\.json/],
  ["--resume of a spoiled run", "--resume @run", /options\.json: expected the JSON that a run wrote/],
  ["--resume with a seed", "--resume @run --seed 3", /--seed: expected none with --resume/],
];

const argumentsOf = (line: string): string[] =>
  line
    .split(" ")
    .filter(Boolean)
    .map((word) => word.replace("@", `${root}/`));

async function expectRefusal(command: string, line: string, message: RegExp): Promise<void> {
  const before = await contentOf(root);
  const { code, out, err } = await cli([command, ...argumentsOf(line)], { models: at("models") });
  expect(err).toMatch(message);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).not.toMatch(/\n\s+at |internal|Error:/);
  expect(err.match(/: expected|is not there|already there|cannot hold/g)!.length).toBeLessThanOrEqual(2);
  expect(await contentOf(root)).toEqual(before);
}

describe("upscale refuses", () => {
  test.each(upscales)("%s", (_, line, message) => expectRefusal("upscale", line, message));
  test.skipIf(process.getuid?.() === 0)("a folder that may not be read", () =>
    expectRefusal("upscale", "@locked", /locked: expected a folder that can be read/),
  );
});

describe("train refuses", () => {
  test.each(trains)("%s", (_, line, message) => expectRefusal("train", line, message));
});

const others: readonly (readonly [command: string, what: string, line: string, message: RegExp])[] = [
  ["evaluate", "no data", "", /--data: expected .*got nothing/],
  ["evaluate", "data that is not there", "--data @gone", /--data: expected a folder of pictures, got nothing/],
  ["evaluate", "a file for data", "--data @good.png", /expected a folder of pictures, got the file/],
  [
    "evaluate",
    "an unknown method",
    "--data @good --method bicubic,magic",
    /--method: expected one or more of nearest.*got bicubic,magic/,
  ],
  [
    "evaluate",
    "a scale in words",
    "--data @good --scale two",
    /--scale: expected a whole number from 2 to 8, or several with commas, got two/,
  ],
  ["evaluate", "a rim that leaves nothing", "--data @good --shave 100", /expected a rim/],
  ["evaluate", "a report of no kind", "--data @good -o @x.pdf", /expected a report's name ending in/],
  ["evaluate", "a report that is there", "--data @good -o @good.png", /expected a report's name/],
  ["compare", "a picture too small", "@small/tiny.png --scale 16", /expected a picture (of at least|large enough)/],
  ["export", "no output", "tiny-x2", /--output: expected .*got nothing/],
  ["export", "a format of no kind", "tiny-x2 -o @x.pb", /expected a name ending in \.onnx or \.safetensors/],
  ["models", "an unknown model", "show gone", /expected a shipped model/],
  ["models", "an unknown verb", "sing", /expected list or show, got "sing"/],
  ["data", "an unknown set", "pull imagenet", /expected one of mnist/],
  ["upscal", "an unknown command", "", /imago: expected a command, got "upscal"\. Did you mean upscale\?/],
];

test.each(others)("%s refuses %s", (command, _, line, message) => expectRefusal(command, line, message));
