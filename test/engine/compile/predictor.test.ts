import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  compilePredictor,
  type Executable,
  input,
  matmul,
  mean,
  mul,
  parameter,
  type Runtime,
} from "../../../src/engine/index.ts";
import { createRuntime } from "../../../src/engine/runtime/node.ts";
import { srcnn } from "../../../src/models/srcnn.ts";
import { initialWeights, network } from "../../../src/nn/model.ts";
import { floats, type Shape, tensor } from "../../../src/tensor/tensor.ts";
import { distance } from "../support.ts";

const w = parameter([], {
  name: "w",
  network: "net",
  shape: [1],
  trainable: true,
  initializer: { kind: "constant", value: 0 },
});

/** A runtime that counts what is loaded and not yet disposed. */
function counted(runtime: Runtime): { readonly runtime: Runtime; readonly open: () => number; total: () => number } {
  let [open, total] = [0, 0];
  const load: Runtime["load"] = async (...program) => {
    const executable: Executable = await runtime.load(...program);
    open++;
    total++;
    return {
      ...executable,
      dispose: () => {
        open--;
        return executable.dispose();
      },
    };
  };
  return { runtime: { ...runtime, load }, open: () => open, total: () => total };
}

describe("compilePredictor", () => {
  let cpu: Runtime;
  beforeAll(() => {
    cpu = createRuntime("cpu", { threads: 1 });
  });
  afterAll(() => cpu.dispose());
  const build = (shape: Shape) => mul(mean(input("input", shape), [1], true), 2);
  const ramp = (size: number) => tensor(Array.from({ length: size }, (_, at) => at), [1, size]); // biome-ignore format: one line

  test("answers inputs of changing shapes, keeps four sessions and frees the others", async () => {
    const { runtime, open, total } = counted(cpu);
    const predictor = compilePredictor(build, { runtime, weights: {} });
    for (const size of [1, 2, 3, 4, 5, 6, 5, 6, 3, 1])
      expect([...floats(await predictor.run(ramp(size)))]).toEqual([size - 1]);
    expect(open()).toBe(4);
    expect(total()).toBe(7); // 1 … 6, and 1 again
    await predictor.dispose();
    expect(open()).toBe(0);
  });

  test("answers more shapes at once than it keeps", async () => {
    const { runtime, open } = counted(cpu);
    const predictor = compilePredictor(build, { runtime, weights: {} });
    const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 1, 2];
    const made = await Promise.all(sizes.map((size) => predictor.run(ramp(size))));
    expect(made.map((value) => floats(value)[0])).toEqual(sizes.map((size) => size - 1));
    await predictor.dispose();
    expect(open()).toBe(0);
  });

  test("a shape that failed to load does not stay", async () => {
    let fail = true;
    const load: Runtime["load"] = (...program) => (fail ? Promise.reject(new Error("busy")) : cpu.load(...program));
    const predictor = compilePredictor(build, { runtime: { ...cpu, load }, weights: {} });
    await expect(predictor.run(ramp(3))).rejects.toThrow("busy");
    fail = false;
    expect([...floats(await predictor.run(ramp(3)))]).toEqual([2]);
    await predictor.dispose();
  });

  test("SRCNN gives every picture its own size", async () => {
    const net = network(srcnn, { features: 4, mapped: 2 });
    const predictor = compilePredictor((shape) => net(input("input", shape)), {
      runtime: cpu,
      weights: initialWeights([net], 1),
    });
    for (const sides of [[9, 7], [12, 30]]) // biome-ignore format: one line
      expect((await predictor.run(tensor(new Float32Array(sides[0]! * sides[1]!), [1, 1, ...sides]))).shape).toEqual([
        1,
        1,
        ...sides,
      ]);
    await predictor.dispose();
  });

  test.each([true, false])("weights are replaced for all shapes; shared: %s", async (share) => {
    const { runtime, total } = counted(cpu);
    const weights = { "net/w": tensor([3], [1]), "net/unused": tensor([1], [1]) };
    const predictor = compilePredictor((shape) => mul(input("input", shape), w), { runtime, weights, share });
    const answers = () => Promise.all([1, 2, 3].map(async (size) => floats(await predictor.run(ramp(size))).at(-1)));
    expect(await answers()).toEqual([0, 3, 6]);
    const before = answers();
    await predictor.write({ "net/w": tensor([-5], [1]) });
    expect(await before).toEqual([0, 3, 6]);
    expect(await answers()).toEqual([-0, -5, -10]);
    expect(total()).toBe(share ? 3 : 6);
    await predictor.dispose();
  });

  test.each(["reference", "cpu", "wasm"] as const)(
    "shared weights give %s the same answers as constants",
    async (name) => {
      const runtime = createRuntime(name, { threads: 1 });
      const net = network(srcnn, { features: 4, mapped: 2 });
      const weights = initialWeights([net], 1);
      const graph = (shape: Shape) => net(input("input", shape));
      const [held, fixed] = [true, false].map((share) => compilePredictor(graph, { runtime, weights, share }));
      for (const side of [9, 12]) {
        const picture = tensor(Array.from({ length: side * 7 }, (_, at) => Math.sin(at)), [1, 1, side, 7]); // biome-ignore format: one line
        const [one, other] = [floats(await held!.run(picture)), floats(await fixed!.run(picture))];
        expect(distance(one, other)).toBeLessThan(1e-5);
      }
      await runtime.dispose();
    },
  );

  test("four shapes of a network with 64 MB of weights hold them once", async () => {
    const runtime = createRuntime("cpu", { threads: 1 });
    const side = 4096;
    const large = parameter([], { ...w.attributes, name: "large", shape: [side, side] });
    const weights = { "net/large": tensor(new Float32Array(side * side).fill(1), [side, side]) };
    const predictor = compilePredictor((shape) => matmul(input("input", shape), large), { runtime, weights });
    await runtime.share({}); // the thread has begun
    const before = process.memoryUsage().rss;
    for (const rows of [1, 2, 3, 4])
      expect(floats(await predictor.run(tensor(new Float32Array(rows * side).fill(0.5), [rows, side])))[0]).toBe(2048);
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    expect(grown).toBeLessThan(128); // four copies: 256
    await runtime.dispose();
  });
});
