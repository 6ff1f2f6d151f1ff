import { expect, test } from "vitest";
import { type Runtime, referenceRuntime } from "../../../src/engine/index.ts";
import { noGpu, withWords } from "../../../src/engine/runtime/runtimeErrors.ts";

const program = { inputs: [], outputs: {} };

test("a runtime in other words loads with all that was asked for", async () => {
  const asked: unknown[] = [];
  const inner = referenceRuntime();
  const load: Runtime["load"] = (...given) => {
    asked.push(...given);
    return inner.load(...given);
  };
  const runtime = withWords({ ...inner, load }, [noGpu("Use cpu.")]);
  const [state, options] = [{}, { profile: true }];
  await runtime.load(program, state, options);
  expect(asked).toEqual([program, state, options]);
});

test("a complaint that is known is put in its words, another stays as it is", async () => {
  const failing = (text: string) =>
    withWords(
      {
        ...referenceRuntime(),
        load: () => Promise.reject(new Error(text)),
        open: () => Promise.reject(new Error(text)),
      },
      [noGpu("Use cpu.")],
    );
  const words = "runtime: expected a GPU for webgpu, got none that its driver offers. Use cpu.";
  await expect(failing("Failed to get GPU adapter").load(program)).rejects.toThrow(words);
  await expect(failing("Failed to get GPU adapter").open({ path: "a.onnx" })).rejects.toThrow(words);
  await expect(failing("out of memory").load(program)).rejects.toThrow(/^out of memory$/);
});
