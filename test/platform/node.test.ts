import { expect, test } from "vitest";
import { nodePlatform } from "../../src/platform/node.ts";

const without = (...missing: string[]) => {
  const said: string[] = [];
  const platform = nodePlatform({
    warn: (text) => said.push(text),
    isInstalled: (library) => !missing.includes(library),
  });
  return { platform, said };
};

test("networks run on the CPU, and on WebAssembly where onnxruntime-node is missing", async () => {
  const { platform, said } = without();
  const cpu = await platform.runtime({ threads: 1 });
  expect(cpu).toMatchObject({ name: "cpu", threads: 1 });
  await cpu.dispose();
  expect(said).toEqual([]);
  const other = without("onnxruntime-node");
  const wasm = await other.platform.runtime();
  expect(wasm.name).toBe("wasm");
  await wasm.dispose();
  expect(other.said).toEqual([
    expect.stringMatching(/^onnxruntime-node is not installed: .* Cure: ONNXRUNTIME_NODE_INSTALL=skip npm install/),
  ]);
});

test("what was asked for by name must be there", async () => {
  const { platform } = without("onnxruntime-node", "onnxruntime-web");
  await expect(platform.runtime({ name: "cpu" })).rejects.toThrow(
    "runtime: expected cpu with onnxruntime-node installed, got no such package. Run npm install onnxruntime-node.",
  );
  await expect(platform.runtime()).rejects.toThrow("expected wasm with onnxruntime-web installed");
  expect((await platform.runtime({ name: "reference" })).name).toBe("reference");
});
