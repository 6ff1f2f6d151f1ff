/**
 * The op table on ONNX Runtime's WebGPU provider in Node. Without a GPU it runs on SwiftShader, which Debian's chromium
 * brings: VK_ICD_FILENAMES=<chromium>/vk_swiftshader_icd.json, and libvulkan1 installed.
 */
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { ops } from "../../src/engine/ops/index.ts";
import { caseOf, deviations, type Ort } from "../engine/support.ts";

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
