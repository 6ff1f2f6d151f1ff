import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { assemble } from "../../../src/engine/compile/stepGraph.ts";
import { compileStep, input, inputsOf, profileOf, referenceRuntime, relu } from "../../../src/engine/index.ts";
import type { OnnxNode } from "../../../src/engine/onnx/emitter.ts";
import { kindOf } from "../../../src/engine/onnx/kernelKinds.ts";
import { encode, lower } from "../../../src/engine/onnx/write.ts";
import { createRuntime } from "../../../src/engine/runtime/node.ts";
import { readProfile } from "../../../src/engine/runtime/readProfile.ts";
import type { RunTime } from "../../../src/engine/runtime/runtime.ts";
import { conv2d, linear } from "../../../src/nn/layers.ts";
import { mse } from "../../../src/nn/losses.ts";
import { defineModel, initialWeights, network } from "../../../src/nn/model.ts";
import { batchNorm } from "../../../src/nn/norms.ts";
import { adam } from "../../../src/nn/optimizers.ts";
import { random } from "../../../src/tensor/random.ts";
import { sizeOf, tensor } from "../../../src/tensor/tensor.ts";
import { temporaryFolder } from "../../tasks/support.ts";

const runtime = createRuntime("cpu", { threads: 1 });
afterAll(() => runtime.dispose());

/** Two convolutions of which the first is normed, and a dense layer whose weights lie bare in the network. */
const model = defineModel({
  name: "tiny",
  summary: "",
  paper: "",
  options: z.object({}),
  input: () => [2, 3, 8, 8],
  build(x, p) {
    const first = relu(batchNorm(conv2d(x, p("body.0")("conv"), { out: 16, kernel: 3 }), p("body.0")("norm")));
    return linear(relu(conv2d(first, p("body.1"), { out: 16, kernel: 3 })), p("head"), { out: 4 });
  },
});

function work() {
  const net = network(model, {});
  const loss = mse(net(input("x", [2, 3, 8, 8]), { training: true }), input("y", [2, 16, 8, 4]));
  const turns = { tiny: { moves: ["tiny"], loss, optimizer: adam() } };
  const plan = { turns, carried: net.carried, ema: ["tiny"] };
  return { net, plan, weights: initialWeights([net], 3) };
}

const filled = (shape: readonly number[], seed: number) =>
  tensor(Float32Array.from({ length: sizeOf(shape) }, random(seed, "test").normal), shape);
const feeds = { x: filled([2, 3, 8, 8], 1), y: filled([2, 16, 8, 4], 2) };

async function take(profile: boolean) {
  const { plan, weights } = work();
  const step = await compileStep(plan, { runtime, weights, profile });
  const losses: number[] = [];
  for (let at = 1; at <= 4; at++)
    losses.push((await step.run(feeds, { step: at, learningRate: 1e-2, emaDecay: 0.9 })).losses.tiny!);
  const runs = await step.profile?.();
  await step.dispose();
  return { losses, runs };
}

const total = (list: readonly { readonly ms: number }[]): number => list.reduce((sum, { ms }) => sum + ms, 0);

test("a step that is profiled computes what it does otherwise, and leaves no file", async () => {
  const folder = await temporaryFolder();
  vi.stubEnv("TMPDIR", folder);
  expect(tmpdir()).toBe(folder);
  const [plain, profiled] = [await take(false), await take(true)];
  expect(profiled.losses).toEqual(plain.losses);
  expect(plain.runs).toBeUndefined();
  expect(profiled.runs).toHaveLength(4);
  expect(await readdir(folder)).toEqual([]);
  const step = await compileStep(work().plan, { runtime, weights: work().weights, profile: true });
  expect(await readdir(folder)).toHaveLength(1);
  await step.dispose();
  expect(await readdir(folder)).toEqual([]);
  vi.unstubAllEnvs();
});

test("its rows are the layers of the parameters, forward and backward, and what moves them", async () => {
  const { runs } = await take(true);
  const { rows, ms, runs: count } = profileOf(runs!.slice(1));
  expect(count).toBe(3);
  expect(total(rows)).toBeCloseTo(total(runs!.slice(1).flatMap(({ kernels }) => kernels)) / 3, 9);
  expect(total(rows)).toBeLessThanOrEqual(ms);
  const { net } = work();
  const names = net.parameters().map(({ attributes: { name } }) => name.split(".").slice(0, -1).join("/"));
  const layers = [...new Set(names)].map((name) => `tiny/${name}`);
  expect(layers).toEqual(["tiny/body/0/conv", "tiny/body/0/norm", "tiny/body/1", "tiny/head"]);
  for (const phase of ["forward", "backward"])
    for (const layer of layers) expect(rows.some((row) => row.path === layer && row.phase === phase)).toBe(true);
  const others = new Set(rows.map(({ path }) => path).filter((path) => !layers.includes(path)));
  expect([...others].sort()).toEqual(["losses", "tiny"]);
  expect(rows.filter(({ phase }) => phase === "update").every(({ path }) => path === "tiny")).toBe(true);
  expect(rows.filter(({ kind }) => kind === "optimizer").every(({ phase }) => phase === "update")).toBe(true);
  const arithmetic = rows.filter(({ kind }) => kind === "arithmetic");
  const convolved = (phase: string) =>
    arithmetic.filter(({ op, phase: of }) => of === phase && /Conv/.test(op)).map(({ path }) => path);
  expect(new Set(convolved("forward"))).toEqual(new Set(["tiny/body/0/conv", "tiny/body/1"]));
  expect(convolved("backward")).toContain("tiny/body/1");
  expect(new Set(arithmetic.map(({ path }) => path))).toEqual(
    new Set(["tiny/body/0/conv", "tiny/body/1", "tiny/head"]),
  );
});

test("every microsecond of the runtime's own events is in a row", async () => {
  const { outputs, vectors } = assemble(work().plan);
  const next = Object.fromEntries(vectors.flatMap((vector, at) => (vector.next ? [[`next ${at}`, vector.next]] : [])));
  const ends = { ...outputs, ...next };
  const inputs = inputsOf(Object.values(ends));
  const graph = lower({ inputs, outputs: ends }, "cpu");
  const ort = await import("onnxruntime-node");
  const folder = await mkdtemp(join(await temporaryFolder(), "trace-"));
  const session = await ort.InferenceSession.create(encode(graph), {
    enableProfiling: true,
    profileFilePrefix: join(folder, "trace"),
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
  });
  const values = inputs.map(({ attributes: { name }, shape }) => [
    name,
    new ort.Tensor("float32", new Float32Array(sizeOf(shape)).fill(0.5), shape),
  ]);
  for (let run = 0; run < 2; run++) await session.run(Object.fromEntries(values));
  session.endProfiling();
  const text = await readFile(join(folder, (await readdir(folder))[0]!), "utf8");
  const events = (JSON.parse(text) as { cat: string; dur: number }[]).filter(({ cat }) => cat === "Node");
  expect(events.length).toBeGreaterThan(50);
  const micros = events.reduce((sum, { dur }) => sum + dur, 0);
  const runs = readProfile(text, graph.nodes);
  expect(runs.flatMap(({ kernels }) => kernels)).toHaveLength(events.length);
  expect(total(profileOf(runs).rows) * 2 * 1000).toBeCloseTo(micros, 6);
  await session.release();
});

test("a runtime that cannot be profiled is refused", async () => {
  const { plan, weights } = work();
  await expect(compileStep(plan, { runtime: referenceRuntime(), weights, profile: true })).rejects.toThrow(
    "runtime: expected cpu for a profile, got reference.",
  );
});

const node = (name: string, op: string, output: string): OnnxNode => ({
  op,
  domain: "",
  name,
  inputs: [],
  outputs: [output],
  attributes: {},
});

test("fused and inserted kernels belong to what they stand for", () => {
  const nodes = [
    node("net › a › conv2d › Conv %1", "Conv", "%1"),
    node("net › a › relu › Relu %2", "Relu", "%2"),
    node("net › b › conv2d › Conv %12", "Conv", "%12"),
    node("net › b › conv2d ′ › Reshape %13", "Reshape", "%13"),
    node("net ← › Slice %14", "Slice", "%14"),
    node(" › Identity output net", "Identity", "net"),
  ];
  const event = (name: string, op: string, dur: number) => ({
    cat: "Node",
    name: `${name}_kernel_time`,
    dur,
    args: { op_name: op },
  });
  const events = [
    { cat: "Session", name: "model_loading_array", dur: 99 },
    event("net ← › Slice %14/GatherSliceToSplitFusion", "Split", 1),
    event("ReorderInput", "ReorderInput", 2), // for the convolution after it
    event("%1_nchwc", "Conv", 4),
    event("ReorderOutput_token_3", "ReorderOutput", 8), // of the convolution before it
    event("Transpose_token_1", "Transpose", 16),
    event("%12_nchwc", "Conv", 32),
    event("net › b › conv2d ′ › Reshape %13_new_reshape", "Reshape", 64),
    event(" › Identity output net", "Identity", 128),
    { cat: "Session", name: "SequentialExecutor::Execute", dur: 300 },
    { cat: "Session", name: "model_run", dur: 1000 },
  ];
  const [run, ...none] = readProfile(JSON.stringify(events), nodes);
  expect(none).toEqual([]);
  expect(run!.ms).toBe(1);
  expect(run!.kernels.map(({ scope, ms }) => [scope, ms * 1000])).toEqual([
    ["net ←", 1],
    ["net › a › conv2d", 2],
    ["net › a › conv2d", 4],
    ["net › a › conv2d", 8],
    ["net › b › conv2d", 16],
    ["net › b › conv2d", 32],
    ["net › b › conv2d ′", 64],
    ["", 128],
  ]);
});

test("runs are summed by layer, phase and operation, as means", () => {
  const run = (ms: number): RunTime => ({
    ms: 10 * ms,
    kernels: [
      { scope: "net › body.0.first › conv2d", op: "Conv", ms },
      { scope: "net › body.0.first › conv2d ′", op: "FusedMatMul", ms: 2 * ms },
      { scope: "net › body.0.first › conv2d", op: "Conv", ms: 3 * ms },
      { scope: "net ←", op: "Concat", ms: ms / 4 },
      { scope: "", op: "Exp", ms: ms / 8 },
    ],
  });
  expect(profileOf([run(1), run(3)])).toEqual({
    runs: 2,
    ms: 20,
    rows: [
      { path: "net/body/0/first", phase: "forward", kind: "arithmetic", op: "Conv", ms: 8 },
      { path: "net/body/0/first", phase: "backward", kind: "arithmetic", op: "FusedMatMul", ms: 4 },
      { path: "net", phase: "update", kind: "optimizer", op: "Concat", ms: 0.5 },
      { path: "losses", phase: "forward", kind: "element-wise", op: "Exp", ms: 0.25 },
    ],
  });
});

test.each([
  ["FusedConv", "arithmetic"],
  ["ConvTranspose", "arithmetic"],
  ["Gemm", "arithmetic"],
  ["PRelu", "element-wise"],
  ["Where", "element-wise"],
  ["DepthToSpace", "data movement"],
  ["Split", "data movement"],
  ["ReduceSum", "reduction"],
])("%s is %s", (op, kind) => expect(kindOf(op)).toBe(kind));
