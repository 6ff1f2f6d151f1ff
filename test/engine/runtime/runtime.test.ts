import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import {
  add,
  compileFunction,
  gather,
  greater,
  input,
  matmul,
  mul,
  type Node,
  type Program,
  type Runtime,
  softmax,
} from "../../../src/engine/index.ts";
import { createRuntime } from "../../../src/engine/runtime/node.ts";
import { floats, indices, type Tensor, tensor } from "../../../src/tensor/tensor.ts";

const NAMES = ["reference", "cpu", "wasm"] as const;
const square = (side: number, value = 1): Tensor => tensor(new Float32Array(side * side).fill(value), [side, side]);
const scalar = (value: number): Tensor => tensor([value], []);

/** A counter: state `total` grows by the fed number; returns what it was. */
function counter(): Program {
  const [by, current] = [input("by", []), input("current", [])];
  const state = [{ name: "total", current, next: add(current, by) }];
  return { inputs: [by], outputs: { before: mul(current, 1) }, state };
}

describe.each(NAMES)("the %s runtime", (name) => {
  const runtime = createRuntime(name, { threads: 1 });
  afterAll(() => runtime.dispose());

  test("computes", async () => {
    const [x, y] = [input("x", [2, 3]), input("y", [3, 2])];
    const compiled = await compileFunction({ z: softmax(matmul(x, y)) }, { runtime });
    const { z } = await compiled.run({ x: tensor([1, 2, 3, 0, -1, 0], [2, 3]), y: tensor([1, 0, 0, 1, 1, 1], [3, 2]) });
    const e = Math.E; // the products are [4, 5] and [0, −1]
    expect(z!.shape).toEqual([2, 2]);
    expect([...floats(z!)]).toEqual(
      [1 / (1 + e), e / (1 + e), e / (1 + e), 1 / (1 + e)].map((value) => expect.closeTo(value, 6)),
    );
    await compiled.dispose();
  });

  test("keeps state between runs, reads it and replaces it; calls not awaited keep their order", async () => {
    const loaded = await runtime.load(counter(), { total: scalar(10) });
    const runs = await Promise.all([1, 2, 3].map((by) => loaded.run({ by: scalar(by) })));
    expect(runs.map(({ before }) => before!.data[0])).toEqual([10, 11, 13]);
    const read = await loaded.read();
    expect(read.total!.data[0]).toBe(16);
    await loaded.write({ total: scalar(-1) });
    expect(read.total!.data[0]).toBe(16);
    expect((await loaded.run({ by: scalar(5) })).before!.data[0]).toBe(-1);
    expect((await loaded.read()).total!.data[0]).toBe(4);
    await loaded.dispose();
  });

  test("reads the slots that are named, and none when none are", async () => {
    const [one, two] = [input("one", []), input("two", [])];
    const state = [
      { name: "first", current: one, next: add(one, 1) },
      { name: "second", current: two },
    ];
    const program = { inputs: [], outputs: { sum: add(one, two) }, state };
    const loaded = await runtime.load(program, { first: scalar(1), second: scalar(2) });
    await loaded.run({});
    const values = async (names?: readonly string[]) =>
      Object.entries(await loaded.read(names)).map(([slot, { data }]) => [slot, data[0]]);
    expect(await values(["first"])).toEqual([["first", 2]]);
    expect(await values(["second"])).toEqual([["second", 2]]);
    expect(await values([])).toEqual([]);
    expect(await values()).toEqual([["first", 2], ["second", 2]]); // biome-ignore format: one line
    await loaded.dispose();
  });

  test("int64 and bool values go in and come out", async () => {
    const [labels, at] = ["labels", "at"].map((leaf) => input(leaf, [3], { dtype: "int64" })) as [Node, Node];
    const outputs = { picked: gather(labels, at), large: greater(input("x", [2]), 1) };
    const compiled = await compileFunction(outputs, { runtime });
    const feeds = { labels: indices([7, 8, 2 ** 40], [3]), at: indices([2, 0, 0], [3]), x: tensor([0.5, 1.5], [2]) };
    expect(await compiled.run(feeds)).toEqual({
      picked: { dtype: "int64", shape: [3], data: BigInt64Array.of(1n << 40n, 7n, 7n) },
      large: { dtype: "bool", shape: [2], data: Uint8Array.of(0, 1) },
    });
    await compiled.dispose();
  });
});

describe.each(["cpu", "wasm"] as const)("the worker of %s", (name) => {
  test("what ONNX Runtime refuses comes back as an error, and the runtime lives on", async () => {
    const runtime = createRuntime(name, { threads: 1 });
    const [x, y] = [input("x", [2]), input("y", [2])];
    const compiled = await compileFunction({ z: add(x, y) }, { runtime });
    const wrong = compiled.run({ x: tensor([1, 2, 3], [3]), y: tensor([1, 2], [2]) });
    await expect(wrong).rejects.toThrow(/dimension|shape|Got/i);
    const right = await compiled.run({ x: tensor([1, 2], [2]), y: tensor([3, 4], [2]) });
    expect([...floats(right.z!)]).toEqual([4, 6]);
    await runtime.dispose();
  });

  test("dispose rejects calls that wait and calls that come later", async () => {
    const runtime = createRuntime(name, { threads: 1 });
    const loaded = await slow(runtime);
    const pending = loaded.run({ x: square(SIDE) });
    const refused = expect(pending).rejects.toThrow("the runtime was disposed");
    await runtime.dispose();
    await refused;
    await expect(loaded.run({ x: square(SIDE) })).rejects.toThrow("the runtime was disposed");
    await expect(runtime.load(counter())).rejects.toThrow("the runtime was disposed");
    await runtime.dispose();
  });

  test("a long run leaves the caller's event loop free", async () => {
    const runtime = createRuntime(name, { threads: 1 });
    const loaded = await slow(runtime);
    const [from, ticks] = [performance.now(), { count: 0 }];
    const timer = setInterval(() => ticks.count++, 5);
    await loaded.run({ x: square(SIDE) });
    clearInterval(timer);
    const lasted = performance.now() - from;
    expect(lasted).toBeGreaterThan(100); // else the test says nothing
    expect(ticks.count).toBeGreaterThan(lasted / 5 / 10);
    await runtime.dispose();
  });
});

const SIDE = 384;

/** A chain of matrix products that takes a few tenths of a second. */
function slow(runtime: Runtime): ReturnType<Runtime["load"]> {
  const x = input("x", [SIDE, SIDE]);
  let y: Node = x;
  for (let count = 0; count < (runtime.name === "wasm" ? 50 : 200); count++) y = mul(matmul(y, x), 1 / SIDE);
  return runtime.load({ inputs: [x], outputs: { y } });
}

describe("memory", () => {
  const megabytes = (): number => process.memoryUsage().rss / 2 ** 20;

  /** Growth of the process over `count` rounds, in MB, after a warm-up of a quarter of them. */
  async function growth(count: number, round: () => Promise<void>): Promise<number> {
    for (let done = 0; done < count / 4; done++) await round();
    const before = megabytes();
    for (let done = 0; done < count; done++) await round();
    return megabytes() - before;
  }

  test("200 runs with 4 MB of outputs and 4 MB of moving state do not pile up", async () => {
    const runtime = createRuntime("cpu", { threads: 1 });
    const [x, current] = [input("x", []), input("current", [1024, 1024])];
    const next = add(current, x);
    const program = { inputs: [x], outputs: { y: mul(next, 2) }, state: [{ name: "s", current, next }] };
    const loaded = await runtime.load(program, { s: square(1024) });
    const grown = await growth(200, async () => {
      await loaded.run({ x: scalar(1) });
    });
    expect(grown).toBeLessThan(200); // 1,600 MB went by
    await runtime.dispose();
  });

  test("20 cycles of loading and disposing 16 MB of weights do not pile up", async () => {
    const runtime = createRuntime("cpu", { threads: 1 });
    const weights = square(2048);
    const grown = await growth(20, async () => {
      const [x, w] = [input("x", [1, 2048]), input("w", [2048, 2048])];
      const bindings = new Map([[w, weights]]);
      const loaded = await runtime.load({ inputs: [x], outputs: { y: matmul(x, w) }, bindings });
      await loaded.run({ x: tensor(new Float32Array(2048), [1, 2048]) });
      await loaded.dispose();
    });
    expect(grown).toBeLessThan(100); // at least 320 MB went by
    await runtime.dispose();
  });
});

describe("the process", () => {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  const folder = join(root, `node_modules/.cache/imago-exit-${process.pid}`);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("ends by itself when nothing waits, without dispose, and not before an answer has come", async () => {
    const run = promisify(execFile);
    await mkdir(folder, { recursive: true });
    const compiler = join(dirname(fileURLToPath(import.meta.resolve("typescript/package.json"))), "bin/tsc");
    await run(
      process.execPath,
      [
        compiler,
        "-p",
        "tsconfig.build.json",
        "--outDir",
        folder,
        "--emitDeclarationOnly",
        "false",
        "--declaration",
        "false",
      ],
      {
        cwd: root,
      },
    ).catch(() => undefined); // it writes the files even when a room is being rebuilt
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    await writeFile(
      join(folder, "main.js"),
      `import { add, compileFunction, input } from "./engine/index.js";
      import { createRuntime } from "./engine/runtime/node.js";
      const runtime = createRuntime("cpu", { threads: 1 });
      const compiled = await compileFunction({ y: add(input("x", []), 1) }, { runtime });
      const { y } = await compiled.run({ x: { dtype: "float32", shape: [], data: Float32Array.of(41) } });
      console.log(y.data[0]);`,
    );
    const { stdout } = await run(process.execPath, [join(folder, "main.js")], { timeout: 20_000 });
    expect(stdout.trim()).toBe("42");
  });
});
