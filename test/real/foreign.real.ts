import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createRuntime } from "../../src/engine/runtime/node.ts";
import { floats } from "../../src/tensor/tensor.ts";
import { filled } from "../engine/import/onnxModel.ts";
import { distance } from "../engine/support.ts";

const networks = join(process.env.IMAGO_SHARED ?? "../shared", "field/networks");
const isHere = existsSync(networks);
if (!isHere) console.warn(`SKIPPED: ${networks} is missing; set IMAGO_SHARED to open networks of others.`);

const cpu = createRuntime("cpu", { threads: 2 });
const wasm = createRuntime("wasm", { threads: 1 });
afterAll(() => Promise.all([cpu.dispose(), wasm.dispose()]));

test.skipIf(!isHere)("a network with its weights beside it: by path on cpu as from memory on wasm", async () => {
  const path = join(networks, "compact-external.onnx");
  const [byPath, inMemory] = [
    await cpu.open({ path }),
    await wasm.open({
      bytes: readFileSync(path),
      external: { "compact-external.onnx_data": readFileSync(`${path}_data`) },
    }),
  ];
  const { name, shape } = byPath.inputs[0]!;
  expect(shape[1]).toBe(3);
  const picture = filled([1, 3, 16, 24]);
  const [one, other] = [await byPath.run({ [name]: picture }), await inMemory.run({ [name]: picture })];
  const output = byPath.outputs[0]!.name;
  expect(one[output]!.shape).toEqual([1, 3, 64, 96]);
  expect(distance(floats(one[output]!), floats(other[output]!))).toBeLessThan(1e-5);
});
