import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { referenceRuntime } from "../../../src/engine/index.ts";
import { createRuntime } from "../../../src/engine/runtime/node.ts";
import { toHalf } from "../../../src/tensor/half.ts";
import { indices, type Tensor, tensor } from "../../../src/tensor/tensor.ts";
import { type ModelSpec, model } from "../import/onnxModel.ts";

/** Numbers of TensorProto.DataType. */
const [UINT8, INT8, INT32, FLOAT16, DOUBLE] = [2, 3, 6, 10, 11] as const;
const list = ({ data }: Tensor): number[] => Array.from(data as Float32Array, Number);
const half = (...values: readonly number[]) => ({
  code: FLOAT16,
  shape: [values.length],
  bytes: Uint16Array.from(values, toHalf),
});
const scale = (value: number) => tensor([value], []);

/** y = x · w, all of it in float16. */
const halves: ModelSpec = {
  nodes: [{ op: "Mul", inputs: ["x", "w"], outputs: ["y"] }],
  constants: { w: half(1, 0.5, 3) },
  inputs: [{ name: "x", shape: ["rows", 3], code: FLOAT16 }],
  outputs: [["y", FLOAT16]],
};

/** y = x · w with the weights in another file. */
const beside = (location: string, more: Readonly<Record<string, string>> = {}): ModelSpec => ({
  nodes: [{ op: "Mul", inputs: ["x", "w"], outputs: ["y"] }],
  constants: { w: { code: 1, shape: [64], external: { location, ...more } } },
  inputs: [{ name: "x", shape: [64] }],
  outputs: ["y"],
});
const ramp = Float32Array.from({ length: 64 }, (_, at) => at);
const rampBytes = new Uint8Array(ramp.buffer);
const twos = tensor(new Float32Array(64).fill(2), [64]);
const doubled = [...ramp].map((value) => 2 * value);

describe.each(["cpu", "wasm"] as const)("foreign files on %s", (name) => {
  const runtime = createRuntime(name, { threads: 1 });
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "imago-foreign-"));
  });
  afterAll(async () => {
    await runtime.dispose();
    await rm(folder, { recursive: true });
  });
  const open = (spec: ModelSpec) => runtime.open({ bytes: model(spec) });
  const put = async (file: string, bytes: Uint8Array): Promise<string> => {
    await writeFile(join(folder, file), bytes);
    return join(folder, file);
  };

  test("float16 is float32 here, rounded to it on the way in", async () => {
    const opened = await open(halves);
    expect(opened.inputs).toEqual([{ name: "x", dtype: "float32", type: "float16", shape: ["rows", 3] }]);
    expect(opened.outputs[0]).toMatchObject({ name: "y", dtype: "float32", type: "float16" });
    const { y } = await opened.run({ x: tensor([1, 2, 1, 2049, -4, 0], [2, 3]) });
    expect(y!.dtype).toBe("float32");
    expect(y!.shape).toEqual([2, 3]);
    expect(list(y!)).toEqual([1, 1, 3, 2048, -2, 0]); // 2049 lies between 2048 and 2050, of which 2048 is even
    await opened.dispose();
    await expect(opened.run({ x: tensor([1, 1, 1], [1, 3]) })).rejects.toThrow("disposed");
  });

  test("int8: quantized, multiplied and dequantized", async () => {
    const zero = (code: number) => ({ code, shape: [], bytes: new Uint8Array(1) });
    const opened = await open({
      nodes: [
        { op: "QuantizeLinear", inputs: ["x", "sx", "z"], outputs: ["q"] },
        { op: "MatMulInteger", inputs: ["q", "w", "z", "zw"], outputs: ["sum"] },
        { op: "Cast", inputs: ["sum"], outputs: ["s"], attributes: { to: 1 } },
        { op: "Mul", inputs: ["s", "sx"], outputs: ["y"] },
      ],
      constants: {
        sx: scale(0.5),
        z: zero(UINT8),
        zw: zero(INT8),
        w: { code: INT8, shape: [2, 1], bytes: Int8Array.of(-3, 2) },
      },
      inputs: [{ name: "x", shape: [2, 2] }],
      outputs: ["y", ["sum", INT32]],
    });
    const made = await opened.run({ x: tensor([1, 2.2, 0.3, 500], [2, 2]) });
    expect(made.sum).toEqual(indices([-3 * 2 + 2 * 4, -3 * 1 + 2 * 255], [2, 1])); // 2.2 / 0.5 → 4, 0.3 / 0.5 → 1, 500 → 255
    expect(list(made.y!)).toEqual([1, 253.5]);
  });

  test("int8: a convolution of 8-bit numbers", async () => {
    const opened = await open({
      nodes: [{ op: "QLinearConv", inputs: ["x", "one", "z", "w", "one", "zw", "four", "z"], outputs: ["y"] }],
      constants: {
        one: scale(1),
        four: scale(4),
        z: { code: UINT8, shape: [], bytes: Uint8Array.of(0) },
        zw: { code: INT8, shape: [], bytes: Int8Array.of(0) },
        w: { code: INT8, shape: [1, 1, 1, 2], bytes: Int8Array.of(1, 3) },
      },
      inputs: [{ name: "x", shape: [1, 1, 1, 3], code: UINT8 }],
      outputs: [["y", UINT8]],
    });
    const { y } = await opened.run({ x: indices([0, 4, 200], [1, 1, 1, 3]) });
    expect(y).toEqual(indices([12 / 4, 604 / 4], [1, 1, 1, 2]));
    const wrong = opened.run({ x: indices([0, -1, 0], [1, 1, 1, 3]) });
    await expect(wrong).rejects.toThrow("input x: expected whole numbers from 0 to 255 (uint8 in the file), got -1.");
    const real = opened.run({ x: tensor([0, 1, 0], [1, 1, 1, 3]) });
    await expect(real).rejects.toThrow("input x: expected int64 (uint8 in the file), got float32.");
    await expect(opened.run({})).rejects.toThrow("input x: expected a tensor, got none.");
  });

  test("float64 and int32 go in and come out", async () => {
    const opened = await open({
      nodes: [
        { op: "Neg", inputs: ["a"], outputs: ["b"] },
        { op: "Neg", inputs: ["n"], outputs: ["m"] },
      ],
      inputs: [{ name: "a", shape: [2], code: DOUBLE }, { name: "n", shape: [2], code: INT32 }], // biome-ignore format: one line
      outputs: [["b", DOUBLE], ["m", INT32]], // biome-ignore format: one line
    });
    const made = await opened.run({ a: tensor([0.5, -3], [2]), n: indices([2 ** 31 - 1, -7], [2]) });
    expect(made).toEqual({ b: tensor([-0.5, 3], [2]), m: indices([1 - 2 ** 31, 7], [2]) });
  });

  test("control flow: a branch, and a loop that doubles", async () => {
    const branch = (op: string): ModelSpec => ({ nodes: [{ op, inputs: ["x"], outputs: [op] }], inputs: [], outputs: [op] }); // biome-ignore format: one line
    const body: ModelSpec = {
      nodes: [
        { op: "Identity", inputs: ["go"], outputs: ["again"] },
        { op: "Add", inputs: ["v", "v"], outputs: ["twice"] },
      ],
      inputs: [{ name: "i", shape: [], dtype: "int64" }, { name: "go", shape: [], dtype: "bool" }, { name: "v", shape: [1] }], // biome-ignore format: one line
      outputs: [["again", 9], "twice"],
    };
    const opened = await open({
      nodes: [
        { op: "If", inputs: ["positive"], outputs: ["picked"], attributes: { then_branch: { graph: branch("Neg") }, else_branch: { graph: branch("Abs") } } }, // biome-ignore format: one line
        { op: "Loop", inputs: ["times", "", "picked"], outputs: ["y"], attributes: { body: { graph: body } } },
      ],
      inputs: [{ name: "x", shape: [1] }, { name: "positive", shape: [], dtype: "bool" }, { name: "times", shape: [], dtype: "int64" }], // biome-ignore format: one line
      outputs: ["y"],
    });
    const flag = (value: number): Tensor => ({ dtype: "bool", shape: [], data: Uint8Array.of(value) });
    const answer = async (positive: number, times: number) =>
      list((await opened.run({ x: tensor([-3], [1]), positive: flag(positive), times: indices([times], []) })).y!);
    expect(await answer(1, 4)).toEqual([48]);
    expect(await answer(0, 0)).toEqual([3]);
  });

  test("weights beside the file, by path and in memory", async () => {
    const bytes = model(beside("w.bin"));
    await put("w.bin", rampBytes);
    const byPath = await runtime.open({ path: await put("beside.onnx", bytes) });
    expect(list((await byPath.run({ x: twos })).y!)).toEqual(doubled);
    const inMemory = await runtime.open({ bytes, external: { "w.bin": rampBytes, other: rampBytes } });
    expect(list((await inMemory.run({ x: twos })).y!)).toEqual(doubled);
  });

  test("weights that are missing are named", async () => {
    const bytes = model(beside("none.bin"));
    const path = await put("missing.onnx", bytes);
    await expect(runtime.open({ path })).rejects.toThrow(`${path}: expected "none.bin" beside it`);
    await expect(runtime.open({ bytes })).rejects.toThrow('the model: expected the bytes of "none.bin"');
    await expect(runtime.open({ path: join(folder, "no.onnx") })).rejects.toThrow("expected an ONNX file, got no file");
  });

  test.each(["../w.bin", "/etc/hostname", "a/../../w.bin", "..\\w.bin", "C:\\w.bin", "*/_ORT_MEM_ADDR_/*", ""])(
    "weights elsewhere are refused: %s",
    async (location) => {
      const inside: ModelSpec = { nodes: [{ op: "Constant", inputs: [], outputs: ["c"], attributes: { value: { code: 1, shape: [64], external: { location } } } }], inputs: [], outputs: ["c"] }; // biome-ignore format: one line
      const nested: ModelSpec = {
        nodes: [{ op: "If", inputs: ["b"], outputs: ["y"], attributes: { then_branch: { graph: inside }, else_branch: { graph: inside } } }], // biome-ignore format: one line
        inputs: [{ name: "b", shape: [], dtype: "bool" }],
        outputs: ["y"],
      };
      for (const spec of [beside(location), nested]) {
        const path = await put("outside.onnx", model(spec));
        const words = `outside.onnx: expected weights inside the file or beside it, got a reference to "${location}".`;
        await expect(runtime.open({ path })).rejects.toThrow(words);
        await expect(runtime.open({ bytes: model(spec), external: { [location]: rampBytes } })).rejects.toThrow(
          "expected weights inside the file or beside it",
        );
      }
    },
  );

  test("what is no ONNX file, and element types that are no numbers", async () => {
    const cut = model(halves).slice(0, 60);
    await expect(runtime.open({ bytes: cut })).rejects.toThrow("the model: expected an ONNX model, got 60 bytes");
    const texts: ModelSpec = {
      nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
      inputs: [{ name: "x", shape: [1], code: 8 }],
      outputs: [["y", 8]],
    };
    await expect(open(texts)).rejects.toThrow(
      "the model › x: expected numbers or booleans, got the element type string.",
    );
  });
});

test("weights beyond 2 GB of a file are read by path", async () => {
  const folder = await mkdtemp(join(tmpdir(), "imago-large-"));
  const runtime = createRuntime("cpu", { threads: 1 });
  const offset = 2 ** 32;
  await writeFile(join(folder, "w.bin"), "");
  await truncate(join(folder, "w.bin"), offset); // holes: it takes no room on the disk
  await writeFile(join(folder, "w.bin"), rampBytes, { flag: "a" });
  await writeFile(join(folder, "m.onnx"), model(beside("w.bin", { offset: `${offset}`, length: "256" })));
  const opened = await runtime.open({ path: join(folder, "m.onnx") });
  expect(list((await opened.run({ x: twos })).y!)).toEqual(doubled);
  await runtime.dispose();
  await rm(folder, { recursive: true });
});

test("the reference opens no foreign file", async () => {
  await expect(referenceRuntime().open({ bytes: model(halves) })).rejects.toThrow(
    "runtime: expected one that runs ONNX files as they are, got reference. Use cpu.",
  );
});
