import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { isSamePicture } from "../../../src/image/picture.ts";
import { modelOf } from "../../../src/modelFiles/model.ts";
import { packModel } from "../../../src/modelFiles/own.ts";
import { autoencoder } from "../../../src/models/autoencoder.ts";
import { ganGenerator } from "../../../src/models/gan.ts";
import { stylegan2Generator } from "../../../src/models/stylegan2.ts";
import { unet } from "../../../src/models/unet.ts";
import { initialWeights, network } from "../../../src/nn/model.ts";
import type { Use } from "../../../src/nn/use.ts";
import { optionInfos } from "../../../src/options/schema.ts";
import { writePicture } from "../../../src/platform/codec.ts";
import { bindTask } from "../../../src/tasks/bind.ts";
import { defineTask, type Progress, type Task, ticksOf, withTools } from "../../../src/tasks/common/task.ts";
import { tasks } from "../../../src/tasks/index.ts";
import { photograph, temporaryFolder, testPlatform, tinyBytes } from "../support.ts";

const platform = testPlatform();
const cpu = { name: "cpu", threads: 1 } as const;

/** Models and pictures for every task. */
async function folderOfAll() {
  const folder = await temporaryFolder();
  const at = (name: string) => join(folder, name);
  const write = (name: string, made: ReturnType<typeof network>, use: Use) =>
    writeFile(at(name), packModel(modelOf(made, initialWeights([made], 2), use, made.key)));
  await mkdir(at("photos"));
  for (const seed of [1, 2]) await writePicture(at(`photos/${seed}.png`), photograph(48, 40, seed));
  await writeFile(at("up.safetensors"), tinyBytes());
  const square = { size: 8, channels: 1 } as const;
  const generator = network(ganGenerator, { ...square, latent: 3, hidden: [6] });
  await write("g.safetensors", generator, { task: "generate", ...square, latent: 3, classes: 0 });
  const styled = network(stylegan2Generator, { size: 16, channels: 1, latent: 5, width: 4, most: 8, mapping: 2 });
  await write("s.safetensors", styled, { task: "generate", size: 16, channels: 1, latent: 5, classes: 0, styles: 6 });
  const rebuilder = network(autoencoder, { form: "dense", size: 12, latent: 2, channels: 1 });
  await write("a.safetensors", rebuilder, { task: "reconstruct", size: 12, channels: 1, latent: [2] });
  const translator = network(unet, { size: 16, width: 2, channels: 1 });
  await write("t.safetensors", translator, { task: "translate", from: "a", to: "b", size: 16, channels: 1 });
  return at;
}

type Example = readonly [name: string, input: unknown, options: Record<string, unknown>, ticks: number];

/** One request of every task, with the ticks that it takes at least. */
const examplesIn = (at: (name: string) => string): readonly Example[] => [
  ["upscale", photograph(80, 64), { model: at("up.safetensors"), tile: 32 }, 6],
  ["compare", photograph(60, 60), { scale: 2 }, 2],
  ["evaluate", undefined, { data: at("photos"), method: ["nearest", "bicubic"] }, 4],
  ["generate", undefined, { model: at("g.safetensors"), count: 130 }, 4],
  ["mixStyles", undefined, { model: at("s.safetensors"), mix: 2, count: 8 }, 3],
  ["reconstruct", [{ name: "a", picture: photograph(20, 20) }], { model: at("a.safetensors") }, 2],
  ["translate", photograph(20, 24), { model: at("t.safetensors") }, 1],
  ["train", "srcnn", { data: [at("photos")], run: at("run"), steps: 4, patch: 16, batch: 1, form: "9-1-5" }, 5],
  ["resume", at("run"), { steps: 6 }, 3],
  ["exportModel", at("up.safetensors"), { output: at("out.onnx") }, 1],
  ["show", at("out.onnx"), {}, 1],
  ["bench", undefined, { only: ["tiny"], rounds: 2 }, 2],
];

const named = (name: string): Task => tasks.find((task) => task.name === name) as unknown as Task;

test("every task tells how far it is in plain JSON, and ends when it is aborted", async () => {
  const at = await folderOfAll();
  const examples = examplesIn(at);
  expect(examples.map(([name]) => name)).toEqual(tasks.map(({ name }) => name));
  for (const [name, input, options, least] of examples) {
    const ticks: Progress[] = [];
    await withTools(platform, cpu, async (tools) => {
      for await (const tick of named(name).run(input as never, options, tools)) ticks.push(tick);
    });
    expect(ticks.length, name).toBeGreaterThanOrEqual(least);
    expect(
      ticks.every(({ done, total }) => done <= total),
      name,
    ).toBe(true);
    const plain = ticks.map(({ preview, ...tick }) => tick);
    expect(JSON.parse(JSON.stringify(plain)), name).toEqual(plain);
  }
});

test.each(["upscale", "compare", "evaluate", "generate", "mixStyles", "reconstruct", "bench"])(
  "%s stops between its parts",
  async (name) => {
    const at = await folderOfAll();
    const [, input, options, least] = examplesIn(at).find(([one]) => one === name)!;
    const controller = new AbortController();
    const seen: Progress[] = [];
    const running = withTools(platform, { ...cpu, signal: controller.signal }, async (tools) => {
      for await (const tick of named(name).run(input as never, options, tools)) {
        seen.push(tick);
        controller.abort();
      }
    });
    await expect(running).rejects.toThrow(/abort/i);
    expect(seen.length).toBeLessThan(least);
  },
);

describe("a task as a function", () => {
  test("reads what it is done to, and tells how far it is", async () => {
    const at = await folderOfAll();
    const [path, seen] = [at("photos/1.png"), [] as string[]];
    const upscale = bindTask(tasks[0], platform);
    const onProgress = (done: number, total: number): void => void seen.push(`${done}/${total}`);
    const onTick = ({ done }: Progress): void => void seen.push(`tick ${done}`);
    const options = { model: at("up.safetensors"), tile: 32, onProgress, onTick };
    const [a, b] = [await upscale(path, options), await upscale(photograph(48, 40, 1), { model: options.model })];
    expect(isSamePicture(a, b)).toBe(true);
    expect(seen.slice(0, 2)).toEqual(["tick 1", "1/12"]);
    expect(seen).toHaveLength(24);
  });

  test("options of a task never have a name that says how it runs", () => {
    const reserved = ["runtime", "threads", "signal", "onTick", "onProgress"];
    for (const { name, options } of tasks)
      expect(
        optionInfos(options).filter((one) => reserved.includes(one.name)),
        name,
      ).toEqual([]);
  });

  test("the usual model and the usual number of pictures need no front end", async () => {
    const home = process.cwd();
    const at = await folderOfAll();
    await mkdir(at("runs/mine"), { recursive: true });
    await writeFile(at("runs/mine/weights.safetensors"), await readBytes(at("g.safetensors")));
    process.chdir(at("."));
    try {
      const generate = bindTask(tasks[3], platform);
      const models: unknown[] = [];
      const given = { threads: 1, onTick: ({ model }: { readonly model?: string }) => void models.push(model) };
      expect((await generate(given)).length).toBe(64);
      expect(models.slice(0, 2)).toEqual(["runs/mine", undefined]);
      expect((await generate({ interpolate: [0, 1], threads: 1 })).length).toBe(10);
    } finally {
      process.chdir(home);
    }
  });
});

const readBytes = async (path: string) => (await import("node:fs/promises")).readFile(path);

describe("work with a callback as ticks", () => {
  const counting = (count: number) => async (tell: (tick: number) => void, signal: AbortSignal) => {
    for (let i = 0; i < count; i++) {
      if (i % 2 === 1) await new Promise((resolve) => setTimeout(resolve));
      signal.throwIfAborted();
      tell(i);
    }
    return "end";
  };

  test("all ticks come in order, then the result", async () => {
    const ticks = ticksOf(undefined, counting(5));
    const seen: unknown[] = [];
    for (let next = await ticks.next(); ; next = await ticks.next()) {
      seen.push(next.value);
      if (next.done) break;
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, "end"]);
  });

  test("leaving early ends the work", async () => {
    let [last, isOver] = [-1, false];
    const work = (tell: (tick: number) => void, signal: AbortSignal) =>
      counting(1000)((tick) => {
        last = tick;
        tell(tick);
      }, signal).finally(() => {
        isOver = true;
      });
    for await (const tick of ticksOf(undefined, work)) if (tick === 2) break;
    expect([isOver, last < 10]).toEqual([true, true]);
  });

  test("what the work throws is thrown", async () => {
    const failing = ticksOf(undefined, async () => {
      throw new Error("no");
    });
    await expect(failing.next()).rejects.toThrow("no");
  });
});

test("options are checked once, under the task's name, before anything happens", async () => {
  const task = defineTask({
    name: "double",
    summary: "Double.",
    takes: "nothing",
    options: z.object({ by: z.int().min(1).default(2) }),
    gives: "figures",
    async *run(_, { by }): AsyncGenerator<Progress, number> {
      yield { done: 1, total: 1 };
      return 2 * by;
    },
  });
  expect(await bindTask(task, platform)()).toBe(4);
  await expect(bindTask(task, platform)({ by: 0 })).rejects.toThrow(
    "double › by: expected a whole number 1 or more, got 0.",
  );
});
