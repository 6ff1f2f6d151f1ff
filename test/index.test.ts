import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as imago from "../src/index.ts";
import { photograph, temporaryFolder } from "./tasks/support.ts";

test("a picture, by file or in memory, with a method", async () => {
  const path = join(await temporaryFolder(), "a.png");
  await imago.writePicture(path, photograph(30, 20));
  const [a, b] = [await imago.upscale(path, { method: "lanczos", scale: 3 }), await imago.upscale(photograph(30, 20), { method: "lanczos", scale: 3 })]; // biome-ignore format: one line
  expect(a).toMatchObject({ width: 90, height: 60 });
  expect(imago.isSamePicture(a, b)).toBe(true);
  await expect(imago.upscale(path, { scale: 0 })).rejects.toThrow(
    "upscale › scale: expected a number from 1 to 32, got 0",
  );
});

test("a picture tells what made it where its writer is told", async () => {
  const path = join(await temporaryFolder(), "a.webp");
  const provenance = await imago.recordOf("upscale", { scale: 2, model: "srcnn", tile: undefined });
  await imago.writePicture(path, photograph(30, 20), { provenance });
  expect(await imago.readProvenance(path)).toMatchObject({ task: "upscale", options: { scale: 2, model: "srcnn-x2" } });
  expect(imago.shownText(await imago.show(path))).toMatch(
    /^made by +imago .*\ntask +upscale\nscale +2\nmodel +srcnn-x2\nweights +srcnn-x2, /,
  );
  await imago.writePicture(path, photograph(30, 20), { force: true });
  await expect(imago.show(path)).rejects.toThrow("a.webp: expected a file that says what made it");
  await expect(imago.recordOf("upscale", { model: "none" })).rejects.toThrow('got "none". Shipped are ');
});

test("train, go on, use, score, export", async () => {
  const folder = await temporaryFolder();
  const [data, run] = [join(folder, "photos"), join(folder, "run")];
  await mkdir(data);
  await imago.writePicture(join(data, "a.png"), photograph(48, 40));
  const options = { data: [data], run, steps: 3, form: "9-1-5" as const, patch: 16, batch: 2, threads: 1 };
  const ticks: imago.Tick[] = [];
  for await (const tick of imago.train(imago.srcnn, options)) ticks.push(tick);
  expect(ticks.at(-1)!.weights).toBe(`${run}/weights.safetensors`);
  for await (const tick of imago.resume(run, { steps: 4 })) ticks.push(tick);
  expect(ticks.at(-1)).toMatchObject({ step: 4, steps: 4 });
  await expect(imago.train(imago.srcnn, { ...options, run: join(folder, "other"), patch: 7 }).next()).rejects.toThrow(
    "train › patch: expected a whole number from 16 to 512 (pixels), got 7.",
  );
  // @ts-expect-error: the recipe's options are typed, so that a slip of the pen does not compile
  const slip = imago.train(imago.srcnn, { ...options, run: join(folder, "other"), epochs: 7 });
  await expect(slip.next()).rejects.toThrow("epochs");

  const model = await imago.loadModel(run);
  expect(model.usage).toMatchObject({ task: "upscale", scale: 2 });
  const opened = await imago.openUpscaler({ model: run });
  expect((await opened.run(photograph(20, 20))).width).toBe(40);
  await opened.dispose();
  const { means } = await imago.evaluate({ data, model: [run] });
  expect(means[0]!.method).toBe("srcnn-x2");
  const { sheet } = await imago.compare(photograph(60, 60), { scale: 2, model: [run] });
  expect(sheet.channels).toBe(3);
  await imago.exportModel(model, join(folder, "a.onnx"));
  await imago.exportModel(run, join(folder, "a.safetensors"));
  expect((await readdir(folder)).sort()).toEqual(["a.onnx", "a.safetensors", "photos", "run"]);
});

test("where a step's time goes, by layer", async () => {
  const options = { data: ["shapes"], size: 8, classes: 8, features: 4, threads: 1 };
  const { steps, profiled } = await imago.profile(imago.classifier, { ...options, profileSteps: 2 });
  expect(steps).toBe(2);
  expect(profiled.runtime.rows.some(({ path, kind }) => path.startsWith("classifier/") && kind === "arithmetic")).toBe(
    true,
  );
  await expect(imago.profile(imago.classifier, { ...options, profileSteps: 0 })).rejects.toThrow(
    "profile › steps: expected a whole number from 1 to 100000, got 0.",
  );
});
