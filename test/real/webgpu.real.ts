/**
 * The op table on ONNX Runtime's WebGPU provider in Node. Without a GPU it runs on SwiftShader, which Debian's chromium
 * brings: VK_ICD_FILENAMES=<chromium>/vk_swiftshader_icd.json, and libvulkan1 installed.
 */
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { add, compileLoop, input, type Runtime } from "../../src/engine/index.ts";
import { ops } from "../../src/engine/ops/index.ts";
import { createRuntime } from "../../src/engine/runtime/node.ts";
import { floats, tensor } from "../../src/tensor/tensor.ts";
import { euler } from "../engine/compile/euler.ts";
import { caseOf, deviations, distance, type Ort } from "../engine/support.ts";
import { watchedRuntime } from "../engine/traffic.ts";

/** WGSL promises sin and cos to 2⁻¹¹ only. */
const tolerance: Record<string, number> = { sin: 2 ** -11, cos: 2 ** -11 };

const options = { executionProviders: ["webgpu"], logSeverityLevel: 3 };

/** Why no session of the smallest graph can be made, or undefined when one can. */
async function obstacle(): Promise<string | undefined> {
  const smallest = ops.find(({ name }) => name === "add")!;
  try {
    await deviations(ort as unknown as Ort, [caseOf(smallest, smallest.examples[0]!, "")], "webgpu", options);
  } catch (error) {
    return String(error);
  }
}

const missing = await obstacle();
if (missing) console.warn(`SKIPPED: no WebGPU adapter. ${missing}`);

describe.skipIf(missing)("WebGPU equals the reference", () => {
  test.each(ops.filter(({ examples }) => examples.length > 0))("$name", async (op) => {
    const cases = op.examples.map((example, index) => caseOf(op, example, `e${index}.`));
    const found = await deviations(ort as unknown as Ort, cases, "webgpu", options);
    expect(found.filter((one) => !(one.distance < (tolerance[op.name] ?? 1e-4)))).toEqual([]);
  });
});

describe.skipIf(missing)("a loop on WebGPU", () => {
  const { x, next, size, weights, start } = euler([1, 4, 8, 8]);
  const kept = input("kept", x.shape);
  const options = { weights, shown: { size }, start: { x: start } };

  /** 20 Euler steps; the last is asked for its size. */
  async function sample(runtime: Runtime) {
    const loop = await compileLoop({ x: { leaf: x, next } }, { runtime, ...options });
    for (let step = 1; step < 20; step++) await loop.run({ h: tensor([step / 200], []) }, []);
    const last = await loop.run({ h: tensor([0.1], []) });
    return { loop, size: floats(last.size!), x: floats((await loop.read()).x!) };
  }

  test("equals the CPU, and keeps its state on the device: nothing but scalars crosses", async () => {
    const { runtime, crossings, locations } = watchedRuntime("webgpu");
    const cpu = createRuntime("cpu", { threads: 1 });
    const [found, expected] = [await sample(runtime), await sample(cpu)];
    expect(distance(found.x, expected.x)).toBeLessThan(1e-4);
    expect(distance(found.size, expected.size)).toBeLessThan(1e-4);
    expect(distance(found.x, floats(start))).toBeGreaterThan(0.05);
    expect(locations()).toEqual({ x: "gpu-buffer" });
    const runs = crossings.filter(({ verb }) => verb === "run");
    expect(runs).toEqual(Array.from({ length: 20 }, (_, at) => ({ verb: "run", there: 4, back: at === 19 ? 4 : 0 })));
    await Promise.all([found.loop.dispose(), expected.loop.dispose()]);
    await cpu.dispose();
  });

  test("what stays as it is stays on the device too, and may be written", async () => {
    const { runtime, locations } = watchedRuntime("webgpu");
    const carry = { x: { leaf: x, next: add(x, kept) }, kept: { leaf: kept, next: kept } };
    const ones = tensor(new Float32Array(256).fill(1), x.shape);
    const loop = await compileLoop(carry, { runtime, start: { x: start, kept: ones } });
    await loop.run();
    await loop.run();
    expect(locations()).toEqual({ x: "gpu-buffer", kept: "gpu-buffer" });
    await loop.write({ x: ones });
    await loop.run();
    expect((await loop.read(["x"])).x!.data).toEqual(new Float32Array(256).fill(2));
    await loop.dispose();
  });
});
