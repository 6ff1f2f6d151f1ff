import { expect, test } from "vitest";
import { srcnn } from "../../../src/models/srcnn.ts";
import { initialWeights, network } from "../../../src/nn/model.ts";
import { radiusOf } from "../../../src/tasks/upscale/receptiveField.ts";

test("the radius is that of all kernels in a row", () => {
  const made = network(srcnn);
  expect(radiusOf(made, [1, 1, 32, 32])).toBe(8);
  expect(Object.keys(initialWeights([made], 1)).length).toBe(6);
});
