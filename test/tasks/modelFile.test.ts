import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { input } from "../../src/engine/index.ts";
import { srcnn } from "../../src/models/srcnn.ts";
import { initialWeights, network } from "../../src/nn/model.ts";
import { listModels, loadModel, modelCard, modelMetadata, packModel, saveModel } from "../../src/tasks/modelFile.ts";
import { radiusOf } from "../../src/tasks/reach.ts";
import { writeSafetensors } from "../../src/tensor/safetensors.ts";
import { temporaryFolder, testPlatform, tinyBytes, tinyModel } from "./support.ts";

test("a model's file gives the model back", async () => {
  const folder = await temporaryFolder();
  const [platform, path] = [testPlatform(), join(folder, "mine.safetensors")];
  const model = { ...tinyModel(), card: { data: "a photograph", steps: "3" } };
  await saveModel(path, model, platform);
  const loaded = await loadModel(path, platform);
  expect(loaded).toMatchObject({ name: "mine", path, usage: model.usage, channels: 1, radius: 2, card: model.card });
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
  expect((await loadModel("tiny-x3", platform)).usage.scale).toBe(3);
  expect((await loadModel("tiny", platform, { scale: 3 })).name).toBe("tiny-x3");
  expect((await loadModel("tiny", platform)).name).toBe("tiny-x2");
  await expect(loadModel("tiny", platform, { scale: 4 })).rejects.toThrow("(tiny-x2, tiny-x3), got 4");
  expect(await modelCard("tiny-x2", platform)).toMatchObject({ format: "imago", version: "1", model: "srcnn" });
  await expect(loadModel("tony", platform)).rejects.toThrow('got "tony". Shipped are tiny-x2, tiny-x3.');
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

test("the radius is that of all kernels in a row", () => {
  const leaf = input("input", [1, 1, 32, 32]);
  const made = network(srcnn);
  expect(radiusOf(made(leaf), leaf)).toBe(8);
  expect(Object.keys(initialWeights([made], 1)).length).toBe(6);
});
