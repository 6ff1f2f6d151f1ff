import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { averagePool, referenceRuntime, resize as resized, sub } from "../../../src/engine/index.ts";
import { toGray } from "../../../src/image/channels.ts";
import { crop, isSamePicture, makePicture, type Picture } from "../../../src/image/picture.ts";
import { resize } from "../../../src/image/resize.ts";
import { modelOf } from "../../../src/modelFiles/model.ts";
import { packModel } from "../../../src/modelFiles/own.ts";
import { defineModel, network } from "../../../src/nn/model.ts";
import type { Platform } from "../../../src/platform/platform.ts";
import { resultOf, withTools } from "../../../src/tasks/common/task.ts";
import { type TranslateTick, translate as translateTask } from "../../../src/tasks/translate/translate.ts";
import { openTranslator } from "../../../src/tasks/translate/translator.ts";
import { toTensor } from "../../../src/tensor/pictures.ts";
import { scrambled } from "../../fixtures/pictures.ts";
import { inputRunner, photograph, temporaryFolder, testPlatform, tinyBytes } from "../support.ts";
import { inverted, invertingFile, invertingModel, usageOf } from "./translateSupport.ts";

const translate = inputRunner(translateTask);
const platform = testPlatform();
const picture = scrambled({ width: 37, height: 21 });

describe("a network that inverts colors", () => {
  test("gives the opposites, at the size of the picture where it learned at none", async () => {
    const model = await invertingFile(await temporaryFolder());
    expect(await translate(picture, { model }, platform)).toEqual(inverted(picture));
    const deep = makePicture(
      { ...picture, depth: 16 },
      Uint16Array.from(picture.data, (value) => value * 257),
    );
    expect(await translate(deep, { model }, platform)).toEqual(inverted(picture));
  });

  test("alpha is laid over white", async () => {
    const model = await invertingFile(await temporaryFolder());
    const clear = makePicture({ width: 3, height: 1, channels: 4 }, Uint8Array.of(10, 20, 30, 255, 10, 20, 30, 0, 100, 200, 50, 102)); // biome-ignore format: one line
    const made = await translate(clear, { model }, platform);
    expect(made).toMatchObject({ width: 3, height: 1, channels: 3, depth: 8 });
    // 102 of 255 is 0.4: 0.4 · 100 + 0.6 · 255 = 193
    expect([...made.data]).toEqual([245, 235, 225, 0, 0, 0, 255 - 193, 255 - 233, 255 - 173]);
  });

  test("gray pictures become colors for a network of colors, and colors gray for one of grays", async () => {
    const gray = toGray(picture);
    const colors = await translate(gray, { model: await invertingFile(await temporaryFolder()) }, platform);
    expect([...colors.data]).toEqual([...gray.data].flatMap((value) => Array(3).fill(255 - value)));
    const model = await invertingFile(await temporaryFolder(), { channels: 1 });
    expect(await translate(picture, { model }, platform)).toEqual(inverted(gray));
  });

  test("works at the size it learned at, or at the side asked for: the shorter one", async () => {
    const model = await invertingFile(await temporaryFolder(), { size: 16 });
    const expected = (width: number, height: number): Picture =>
      inverted(resize(picture, { width, height }, { method: "bicubic", convention: "pillow" }));
    expect(await translate(picture, { model }, platform)).toEqual(expected(28, 16)); // 37 · 16 / 21 = 28.2
    expect(await translate(picture, { model, side: 42 }, platform)).toEqual(expected(74, 42));
    expect(await translate(picture, { model, side: 21 }, platform)).toEqual(inverted(picture));
    const tall = scrambled({ width: 16, height: 40 });
    expect(await translate(tall, { model }, platform)).toEqual(inverted(tall));
  });
});

describe("a network that takes multiples of four alone", () => {
  /** The opposite of the mean of every 4×4 square. */
  const squares = defineModel({
    name: "squares",
    summary: "inverts the means of squares",
    paper: "none",
    options: z.object({}),
    input: () => [1, 1, 8, 8],
    build(x) {
      const [, , height, width] = x.shape as readonly [number, number, number, number];
      const small = averagePool(x, { kernel: 4 });
      const [down, across] = [small.shape[2]! * 4, small.shape[3]! * 4];
      return down === height && across === width
        ? sub(1, resized(small, { height, width }, { mode: "nearest" }))
        : sub(1, small);
    },
  });

  test.each([
    [8, 12],
    [7, 10],
    [1, 5],
  ])("a picture of %i×%i is extended by its border and cut back", async (width, height) => {
    const gray = scrambled({ width, height }, 1);
    const translator = openTranslator(
      modelOf(network(squares), {}, usageOf({ channels: 1 }), "squares"),
      referenceRuntime(),
    );
    const made = await translator.run(gray);
    expect(made).toMatchObject({ width, height, channels: 1 });
    const at = (x: number, y: number): number => gray.data[Math.min(y, height - 1) * width + Math.min(x, width - 1)]!;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let dy = 0; dy < 4; dy++) for (let dx = 0; dx < 4; dx++) sum += at(x - (x % 4) + dx, y - (y % 4) + dy);
        expect(Math.abs(made.data[y * width + x]! - (255 - sum / 16))).toBeLessThan(0.5 + 1e-3);
      }
    await translator.dispose();
  });
});

test("a batch is translated one picture after the other", async () => {
  const pictures = [1, 2, 3].map((seed) => photograph(12, 9, seed));
  const translator = openTranslator(invertingModel(), referenceRuntime());
  const made = await translator.batch(toTensor(pictures));
  expect(made.map((one, i) => isSamePicture(one, inverted(pictures[i]!)))).toEqual([true, true, true]);
  await translator.dispose();
});

describe("which network is used", () => {
  /** A platform whose runs/ lies in a folder. */
  function withRuns(folder: string): Platform {
    const { files } = platform;
    const there = (path: string): string => (path === "runs" || path.startsWith("runs/") ? join(folder, path) : path);
    return {
      ...platform,
      files: {
        ...files,
        read: (path) => files.read(there(path)),
        size: (path) => files.size(there(path)),
        exists: (path) => files.exists(there(path)),
        list: (path) => files.list(there(path)),
        modified: (path) => files.modified(there(path)),
      },
    };
  }

  test("the newest run of this use, and its name is told", async () => {
    const folder = await temporaryFolder();
    for (const [name, bytes, age] of [
      ["old", packModel(invertingModel({ size: 16 })), 30],
      ["new", packModel(invertingModel()), 20],
      ["srcnn", tinyBytes(), 10], // newer, but of another use
    ] as const) {
      await mkdir(join(folder, "runs", name), { recursive: true });
      const path = join(folder, "runs", name, "weights.safetensors");
      await writeFile(path, bytes);
      await utimes(path, Date.now() / 1000 - age, Date.now() / 1000 - age);
    }
    const ticks: TranslateTick[] = [];
    const made = await withTools(withRuns(folder), {}, (tools) =>
      resultOf(translateTask.run(picture, {}, tools), (tick) => ticks.push(tick)),
    );
    expect(ticks[0]!.model).toBe("runs/new");
    expect(made).toEqual(inverted(picture));
  });

  test("none, and one of another use, are refused", async () => {
    const folder = await temporaryFolder();
    await expect(translate(picture, {}, withRuns(folder))).rejects.toThrow(
      "model: expected a network that turns pictures into others, got none. Train one: imago train pix2pix.",
    );
    const model = join(folder, "up.safetensors");
    await writeFile(model, tinyBytes());
    await expect(translate(picture, { model }, platform)).rejects.toThrow(
      "expected a model that turns pictures into others, got one that enlarges pictures",
    );
    await expect(translate(picture, { model, side: 8 }, platform)).rejects.toThrow("translate › side: expected");
  });
});

test("the input stays as it is", async () => {
  const model = await invertingFile(await temporaryFolder(), { size: 16 });
  const before = crop(picture, { x: 0, y: 0, width: picture.width, height: picture.height });
  await translate(picture, { model }, platform);
  expect(isSamePicture(picture, before)).toBe(true);
});
