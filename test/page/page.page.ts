import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BenchRow, Picture } from "../../src/index.ts";
import * as imago from "../../src/index.ts";
import { model } from "../engine/import/onnxModel.ts";
import { type Browser, chromium, openChromium } from "./chromium.ts";
import { train } from "./page/training.js";
import { openSite, type Site } from "./site.ts";

/** The built bundle in a browser, judged by Node on the same steps. */
if (!chromium) console.warn("SKIPPED: no browser was tested. Install Chromium (apt-get install chromium), or say where it is as $CHROMIUM."); // biome-ignore format: one line

const JOBS = ["threads", "plain", "webgpu", "bench", "enlarge", "foreign", "faults"] as const;

interface Trained {
  readonly fault?: string;
  readonly crossOriginIsolated: boolean;
  readonly losses: readonly number[];
  readonly ms: number;
  readonly hidden: readonly string[];
  readonly biases: readonly number[];
}

/** y = x · w, w in another file. */
const beside = model({
  nodes: [{ op: "Mul", inputs: ["x", "w"], outputs: ["y"] }],
  constants: { w: { code: 1, shape: [4], external: { location: "100% w.bin" } } },
  inputs: [{ name: "x", shape: [4] }],
  outputs: ["y"],
});

/** Whether numbers are those of an oracle within 1e-3 of each, or of the largest where they cross zero. */
function expectNear(found: readonly number[], wanted: readonly number[], isRelative = true): void {
  expect(found).toHaveLength(wanted.length);
  const largest = Math.max(...wanted.map(Math.abs));
  const errors = found.map((value, i) => Math.abs(value - wanted[i]!) / (isRelative ? Math.abs(wanted[i]!) : largest));
  expect(Math.max(...errors)).toBeLessThan(1e-3);
}

/** The same training by onnxruntime-node. */
async function trainHere(steps: number) {
  const runtime = imago.createRuntime("cpu", { threads: 1 });
  try {
    return await train(imago, runtime, steps);
  } finally {
    await runtime.dispose();
  }
}

describe.skipIf(!chromium)("a page", () => {
  let site: Site;
  let browser: Browser;
  const result = async <T>(job: (typeof JOBS)[number]): Promise<T> => {
    const found = (await Promise.race([site.result(job), browser.ended])) as unknown as T & { readonly fault?: string };
    expect(found.fault).toBe(undefined);
    return found;
  };
  const picture = imago.syntheticPhotograph({ width: 40, height: 30, seed: 5 });

  beforeAll(async () => {
    site = await openSite(JOBS, {
      "/picture.png": await imago.encodePicture(picture, { format: "png" }),
      "/beside/net.onnx": beside,
      "/beside/100% w.bin": new Uint8Array(Float32Array.of(2, 3, 5, 7).buffer),
    });
    browser = openChromium(site.url);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test("trains on wasm with threads as Node does on its CPU, 50 steps", async () => {
    const found = await result<Trained>("threads");
    expect(found.crossOriginIsolated).toBe(true);
    const wanted = await trainHere(50);
    expect(Math.max(...wanted.biases.map(Math.abs))).toBeGreaterThan(0.01); // they began at 0: else it says little
    expectNear(found.losses, wanted.losses);
    expectNear(found.biases, wanted.biases, false);
    console.log(`wasm, 2 threads: ${found.ms.toFixed(2)} ms a step`);
  });

  test("trains without isolation on one thread, and says why it takes no more", async () => {
    const found = await result<Trained & { readonly threads: number; readonly refused: string }>("plain");
    expect(found).toMatchObject({ crossOriginIsolated: false, threads: 1 });
    expect(found.refused).toMatch(
      /^UserError: threads: expected 1 in a page that is not cross-origin isolated, got 2\./,
    );
    expectNear(found.losses, (await trainHere(50)).losses);
    console.log(`wasm, 1 thread: ${found.ms.toFixed(2)} ms a step`);
  });

  test("trains on WebGPU as Node does, 5 steps, and reads nothing back but the loss when it is shown", async () => {
    const { counts, ...found } = await result<Trained & { readonly counts: readonly (readonly number[])[] }>("webgpu");
    const wanted = await trainHere(5);
    expectNear(found.losses, wanted.losses);
    expectNear(found.biases, wanted.biases, false); // after a sixth step that showed nothing
    expect(found.hidden).toEqual([]);
    const [before, shown, hidden, read] = counts as readonly [number[], number[], number[], number[]];
    expect(before).toEqual([]);
    expect(shown).toHaveLength(5); // a loss a step
    expect(Math.max(...shown)).toBeLessThanOrEqual(256); // bytes
    expect(hidden).toEqual([]);
    const bytes = read.reduce((sum, one) => sum + one, 0);
    expect(bytes).toBeGreaterThan(4 * 784 * 64); // the weights: counting works
    expect(bytes).toBeLessThan(2 * 4 * 784 * 64); // and not the moments
    console.log(`WebGPU: ${found.ms.toFixed(0)} ms a step`);
  });

  test("times workloads", async () => {
    const { wasm, webgpu } = await result<Readonly<Record<"wasm" | "webgpu", readonly BenchRow[]>>>("bench");
    const named = (rows: readonly BenchRow[]) => rows.map(({ workload, kind }) => `${workload} ${kind}`);
    expect(named(wasm)).toEqual(["autoencoder step", "autoencoder inference", "tiny step", "tiny inference"]);
    expect(named(webgpu)).toEqual(["tiny step", "tiny inference"]);
    for (const { ms, worstMs } of [...wasm, ...webgpu]) expect(ms > 0 && worstMs >= ms).toBe(true);
    for (const row of wasm) console.log(`wasm, 2 threads: ${row.workload} ${row.kind} ${row.ms.toFixed(2)} ms`);
  });

  test("decodes and enlarges a picture as Node does", async () => {
    const found = await result<Omit<Picture, "data"> & { data: number[]; decoded: number[]; isSame: boolean }>(
      "enlarge",
    );
    expect(found.decoded.every((value, i) => value === picture.data[i])).toBe(true);
    expect(found.isSame).toBe(true);
    const model = fileURLToPath(new URL("../../models/srcnn-x2.safetensors", import.meta.url));
    const wanted = await imago.upscale(picture, { model, runtime: "cpu", threads: 1 });
    expect(found).toMatchObject({ width: 80, height: 60, channels: 3 });
    expect(Math.max(...found.data.map((value, i) => Math.abs(value - wanted.data[i]!)))).toBeLessThanOrEqual(1);
  });

  test("runs a file of others with its weights beside it", async () => {
    const { y, type } = await result<{ readonly y: readonly number[]; readonly type: string }>("foreign");
    expect({ y, type }).toEqual({ y: [2, 6, 15, 28], type: "float32" });
  });

  test("says what is missing, and the cure", async () => {
    const faults = await result<Readonly<Record<string, string>>>("faults");
    expect(faults).toMatchObject({
      worker: expect.stringMatching(/^UserError: runtime: expected a worker that starts, got .* Serve web\.worker\.js/),
      library: expect.stringMatching(/^UserError: runtime: expected ONNX Runtime's files/),
      gpu: "UserError: runtime: expected a GPU for webgpu, got none that its driver offers. Use wasm.",
      model: "UserError: /models/none.safetensors: expected a file that can be fetched, got 404 Not Found.",
      picture: "UserError: picture: expected a picture that this browser shows, got another file.",
    });
  });
});
