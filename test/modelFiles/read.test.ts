import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mean, type Node, reshape } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors.ts";
import { isSamePicture } from "../../src/image/picture.ts";
import { shippedCards } from "../../src/modelFiles/card.ts";
import { exportModel } from "../../src/modelFiles/export.ts";
import { modelMetadata } from "../../src/modelFiles/metadata.ts";
import { listModels } from "../../src/modelFiles/names.ts";
import { writeOnnx } from "../../src/modelFiles/onnx.ts";
import { packModel, saveModel } from "../../src/modelFiles/own.ts";
import { loadModel, loadModelFor, taskOf } from "../../src/modelFiles/read.ts";
import { srcnn } from "../../src/models/srcnn.ts";
import { initialWeights, network } from "../../src/nn/model.ts";
import { fittingSize } from "../../src/tasks/upscale/fitSize.ts";
import { networkUpscaler } from "../../src/tasks/upscale/networkUpscaler.ts";
import { radiusOf } from "../../src/tasks/upscale/receptiveField.ts";
import { writeSafetensors } from "../../src/tensor/safetensors.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import { photograph, referenceOnly, temporaryFolder, testPlatform, tinyBytes, tinyModel } from "../tasks/support.ts";

test("a model's file gives the model back", async () => {
  const folder = await temporaryFolder();
  const [platform, path] = [testPlatform(), join(folder, "mine.safetensors")];
  const model = { ...tinyModel(), card: { data: "a photograph", steps: "3" } };
  await saveModel(path, model, platform);
  const loaded = await loadModel(path, platform);
  expect(loaded).toMatchObject({ name: "mine", path, usage: model.usage, example: [1, 1, 32, 32], card: model.card });
  expect(loaded.weights).toEqual(model.weights);
  expect(loaded.network!.options).toEqual(model.network!.options);
  expect(packModel(loaded)).toEqual(packModel(model));
  await expect(saveModel(path, model, platform)).rejects.toThrow("already there");
  await saveModel(path, model, platform, true);
});

test("shipped models go by name, or by family and scale", async () => {
  const folder = await temporaryFolder();
  for (const scale of [2, 3])
    await writeFile(join(folder, `tiny-x${scale}.safetensors`), tinyBytes({ usage: { scale } }));
  const platform = testPlatform(folder);
  expect(await listModels(platform)).toEqual(["tiny-x2", "tiny-x3"]);
  expect((await loadModel("tiny-x3", platform)).usage).toMatchObject({ scale: 3 });
  expect((await loadModel("tiny", platform, { scale: 3 })).name).toBe("tiny-x3");
  expect((await loadModel("tiny", platform)).name).toBe("tiny-x2");
  await expect(loadModel("tiny", platform, { scale: 4 })).rejects.toThrow("(tiny-x2, tiny-x3), got 4");
  expect((await shippedCards(platform)).find(({ name }) => name === "tiny-x2")).toMatchObject({
    format: "imago",
    version: "1",
    model: "srcnn",
  });
  await expect(loadModel("tony", platform)).rejects.toThrow('got "tony". Shipped are tiny-x2, tiny-x3.');
  await expect(loadModel("runs/none", platform)).rejects.toThrow(
    'a run\'s folder, got "runs/none", where nothing is. Shipped are tiny-x2, tiny-x3.',
  );
});

test("a run's folder stands for its weights, whatever its network is called", async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "run"));
  const { network: made, weights, usage } = tinyModel();
  const renamed = Object.fromEntries(
    Object.entries(weights).map(([key, value]) => [key.replace("srcnn/", "generator/"), value]),
  );
  await writeFile(join(folder, "run/weights.safetensors"), writeSafetensors(renamed, modelMetadata(made!, usage)));
  const loaded = await loadModel(`${folder}/run/`, testPlatform());
  expect(loaded).toMatchObject({ name: "srcnn-x2", usage });
  expect(loaded.weights).toEqual(weights);
});

test("weights of other programs need a scale and keep their numbers", async () => {
  const folder = await temporaryFolder();
  const { weights } = tinyModel({ usage: { color: "rgb" } });
  const names: Readonly<Record<string, string>> = { extract: "conv1", map: "conv2", rebuild: "conv3" };
  const foreign = Object.fromEntries(
    Object.entries(weights).map(([key, value]) => [
      key.slice("srcnn/".length).replace(/^\w+/, (name) => names[name]!),
      value,
    ]),
  );
  const path = join(folder, "theirs.safetensors");
  await writeFile(path, writeSafetensors(foreign));
  const loaded = await loadModel(path, testPlatform(), { scale: 4 });
  expect(loaded).toMatchObject({ name: "theirs", usage: { scale: 4, color: "rgb", input: "enlarged" } });
  expect(loaded.weights).toEqual(weights);
});

test("other people's networks of small pictures need no scale, and are packed as our own", async () => {
  const folder = await temporaryFolder();
  const [theirs, ours] = [join(folder, "theirs.safetensors"), join(folder, "ours.safetensors")];
  const layer = (out: number, into: number, at: number) => ({
    [`${at}.weight`]: tensor(new Float32Array(out * into).fill(0.1), [out, into]),
    [`${at}.bias`]: tensor(new Float32Array(out), [out]),
  });
  await writeFile(theirs, writeSafetensors({ ...layer(5, 3, 0), ...layer(64, 5, 2) }));
  const [platform, usage] = [testPlatform(), { task: "generate", size: 8, channels: 1, latent: 3, classes: 0 }];
  expect(await taskOf(theirs, platform)).toBe("generate");
  const loaded = await loadModelFor("generate", theirs, platform);
  expect(loaded.usage).toEqual(usage);
  await writeFile(ours, packModel(loaded));
  expect((await loadModel(ours, platform)).weights).toEqual(loaded.weights);
  await writeFile(theirs, writeSafetensors(layer(5, 3, 0)));
  await expect(loadModel(theirs, platform)).rejects.toThrow("inception, got other tensors");
});

test("half: safetensors and ONNX with weights as float16", () => {
  const made = network(srcnn);
  const model = { ...tinyModel(), build: made, weights: initialWeights([made], 1) };
  for (const name of ["mine.safetensors", "mine.onnx"])
    expect(exportModel(model, name, { half: true }).length / exportModel(model, name).length).toBeCloseTo(0.5, 1);
});

test("an ONNX file gives the network back, with what it does; of other programs the shapes tell", async () => {
  const folder = await temporaryFolder();
  const [platform, model] = [testPlatform(), tinyModel({ usage: { scale: 3 } })];
  const path = join(folder, "mine.onnx");
  await writeFile(path, exportModel({ ...model, card: { data: "a photograph" } }, path));
  const loaded = await loadModelFor("upscale", path, platform);
  expect(radiusOf(loaded.build, loaded.example)).toBe(2);
  expect(loaded).toMatchObject({
    name: "mine",
    usage: model.usage,
    example: [1, 1, 32, 32],
    card: { data: "a photograph" },
  });
  expect(
    Object.values(loaded.weights)
      .map(({ data }) => data.length)
      .sort(),
  ).toEqual(
    Object.values(model.weights).map(({ data }) => data.length).sort(), // biome-ignore format: one line
  );
  const picture = photograph(40, 30);
  const [ours, theirs] = await Promise.all(
    [model, loaded].map((one) => networkUpscaler(one, referenceOnly, 32).run(picture)),
  );
  expect(isSamePicture(ours!, theirs!)).toBe(true);
  expect(() => packModel(loaded)).toThrow("known as a graph only");

  const bare = join(folder, "bare.onnx");
  await writeFile(bare, writeOnnx(model.build, model.weights, { example: [1, 1, 32, 32], metadata: {}, name: "bare" }));
  expect((await loadModel(bare, platform, { scale: 2 })).usage).toEqual({ task: "upscale", scale: 2, color: "y", input: "enlarged" }); // biome-ignore format: one line
  await expect(loadModel(bare, platform)).rejects.toThrow(
    "expected to be told what this network's input is enlarged by",
  );
  const pooled = join(folder, "pooled.onnx");
  await writeFile(
    pooled,
    writeOnnx((x) => mean(x, [2, 3], true), {}, { example: [1, 3, 32, 32], metadata: {}, name: "pooled" }),
  );
  await expect(loadModel(pooled, platform)).rejects.toThrow("expected a network from picture to picture");
});

test("networks that want multiples get pictures extended to them", async () => {
  const halve = (x: Node): Node => {
    const [n, c, h, w] = x.shape as [number, number, number, number];
    if (h % 4 !== 0 || w % 4 !== 0) throw new UserError("halve: expected sides that divide by 4.");
    return reshape(x, [n, c, h, w]);
  };
  const model = {
    ...tinyModel({ usage: { color: "rgb", scale: 1 } }),
    build: halve,
    weights: {},
  };
  expect(fittingSize(model, { width: 33, height: 12 }, 1)).toEqual({ width: 36, height: 12 });
  const picture = photograph(33, 30);
  const same = await networkUpscaler(model, referenceOnly, 256).run(picture);
  expect(isSamePicture(same, picture)).toBe(true);
  expect(() => fittingSize(model, { width: 4, height: 4 }, 2)).toThrow("expected a network that takes 4×4 pixels");
});
