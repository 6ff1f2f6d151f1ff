import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { averagePool, mean, type Node, referenceRuntime, reshape } from "../../../src/engine/index.ts";
import { resizePlane } from "../../../src/image/resize.ts";
import { writeOnnx } from "../../../src/modelFiles/onnx.ts";
import { openFeatures } from "../../../src/tasks/classify/featureNetwork.ts";
import { type FeatureOptions, featureOptions } from "../../../src/tasks/common/judging.ts";
import { type Shape, sizeOf, type Tensor, tensor } from "../../../src/tensor/tensor.ts";
import { seeded } from "../../engine/support.ts";
import { temporaryFolder, testPlatform } from "../support.ts";

/** An ONNX file of a feature network. */
async function fileOf(build: (x: Node) => Node, example: Shape): Promise<string> {
  const path = join(await temporaryFolder(), "features.onnx");
  await writeFile(path, writeOnnx(build, {}, { example, metadata: {}, name: "features" }));
  return path;
}

/** The features that a file's network gives of pictures, and what it is called. */
async function featuresOf(path: string, image: Tensor, options: Partial<FeatureOptions> = {}) {
  const [, channels, size] = image.shape as readonly [number, number, number, number];
  const where = { size, channels, platform: testPlatform(), runtime: referenceRuntime() };
  const embedder = await openFeatures(path, featureOptions.parse(options), where);
  return { ...(await embedder.features(image)), label: embedder.label };
}

const flat = (x: Node): Node => reshape(x, [x.shape[0]!, -1]);
const averages = (x: Node): Node => mean(x, [2, 3]);
const random = seeded(4);
const bytes = (shape: Shape): Tensor =>
  tensor(
    Array.from({ length: sizeOf(shape) }, () => Math.floor(256 * random()) / 255),
    shape,
  );

test.each([
  ["clean", 8, 20, { method: "bicubic", convention: "pillow" }],
  ["clean", 20, 9, { method: "bicubic", convention: "pillow" }],
  ["legacy", 8, 20, { method: "bilinear", convention: "opencv" }],
  ["legacy", 20, 9, { method: "bilinear", convention: "opencv" }],
] as const)("%s resize from %d to %d pixels is that of the published tools", async (how, from, to, options) => {
  const image = bytes([2, 3, from, from]);
  const path = await fileOf(flat, [1, 3, to, to]);
  const { data, width } = await featuresOf(path, image, { resize: how, featureSize: to });
  expect(width).toBe(3 * to * to);
  for (let plane = 0; plane < 6; plane++) {
    const own = (image.data as Float32Array).slice(plane * from * from, (plane + 1) * from * from);
    const whole = resizePlane({ width: from, height: from, data: own }, { width: to, height: to }, options).data;
    for (const [i, value] of whole.entries())
      expect(data[plane * to * to + i]).toBeCloseTo(Math.min(1, Math.max(0, value)), 5);
  }
});

test("pictures are rounded to 8 bits, gray ones repeated; what the figures stand on is said", async () => {
  const image = tensor(new Float32Array(2 * 64).fill(0.2501), [2, 1, 8, 8]);
  const { data, width, label } = await featuresOf(await fileOf(averages, [1, 3, 32, 32]), image, { featureSize: 8 });
  expect(width).toBe(3);
  for (const value of data) expect(value).toBeCloseTo(64 / 255, 6);
  expect(label).toMatch(/^the 3 features of .*features\.onnx \(range unit\), at 8 pixels$/);
});

test.each([
  ["symmetric", [-0.6, -0.6, -0.6]],
  ["bytes", [51, 51, 51]],
  ["imagenet", [(0.2 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, (0.2 - 0.406) / 0.225]],
] as const)("range %s", async (featureRange, expected) => {
  const image = tensor(new Float32Array(3 * 64).fill(0.2), [1, 3, 8, 8]);
  const path = await fileOf(averages, [1, 3, 32, 32]);
  const { data } = await featuresOf(path, image, { featureRange, featureSize: 12 });
  for (const [i, value] of expected.entries()) expect(data[i]).toBeCloseTo(value, 4);
});

test("features [N, D, 1, 1] are taken, maps and other tasks are not", async () => {
  const image = bytes([3, 3, 8, 8]);
  const pooled = await fileOf((x) => mean(x, [2, 3], true), [1, 3, 32, 32]);
  expect((await featuresOf(pooled, image, { featureSize: 8 })).data.length).toBe(9);
  const maps = await fileOf((x) => averagePool(x, { kernel: 2 }), [1, 3, 32, 32]);
  await expect(featuresOf(maps, image)).rejects.toThrow(
    "expected features [N, D] or [N, D, 1, 1], got [16, 3, 149, 149]",
  );
  const fixed = await fileOf(flat, [1, 1, 8, 8]);
  await expect(featuresOf(fixed, image, { featureSize: 8 })).rejects.toThrow("for RGB pictures, got one for gray ones");
  await expect(featuresOf(fixed, bytes([1, 1, 8, 8]), { featureSize: 8, featureRange: "imagenet" })).rejects.toThrow(
    "expected a network for RGB with ImageNet's range",
  );
});
