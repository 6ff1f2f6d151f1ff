import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readGolden, testGolden } from "../nn/compare.ts";
import { layers, optimizers } from "../nn/golden.ts";

/** Every layer, loss and optimizer against PyTorch, on the reference and on the CPU. */
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const shared = resolve(root, process.env.IMAGO_SHARED ?? "../shared", "golden");
const isHere = existsSync(shared);
if (!isHere) console.warn(`SKIPPED: ${shared} is missing; set IMAGO_SHARED to compare with PyTorch.`);

describe.skipIf(!isHere)("golden outputs", () => {
  const cases = isHere ? readGolden(`${shared}/layers.safetensors`) : {};
  const steps = isHere ? readGolden(`${shared}/optimizers.safetensors`)[""]! : {};

  test("every golden case is in the tables", () => {
    expect(Object.keys(layers).sort()).toEqual(Object.keys(cases).sort());
    expect([...Object.keys(optimizers), "w0", "gradients"].sort()).toEqual(Object.keys(steps).sort());
  });

  if (isHere) testGolden(cases, steps);
});
