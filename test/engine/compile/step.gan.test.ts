import { describe, expect, test } from "vitest";
import { createRuntime } from "../../../src/engine/runtime/node.ts";
import { floats, tensor } from "../../../src/tensor/tensor.ts";
import { BATCH, ByHand, compileGan } from "../../nn/gan.ts";
import { seeded } from "../support.ts";

const rows = (random: () => number, width: number): number[][] =>
  Array.from({ length: BATCH }, () => Array.from({ length: width }, () => Math.fround(4 * random() - 2)));

describe.each([
  ["reference", "a detached copy", 1e-5],
  ["reference", "the pictures themselves", 1e-5],
  ["cpu", "a detached copy", 2e-4],
  ["cpu", "the pictures themselves", 2e-4],
] as const)("an adversarial step in one graph on %s, the discriminator judging %s", (name, judged, tolerance) => {
  test("equals the two updates by hand, one after the other", async () => {
    const runtime = createRuntime(name, { threads: 1 });
    const { step, weights } = await compileGan(runtime, judged === "a detached copy");
    const byHand = new ByHand(weights);
    const random = seeded(11);
    const rates = { discriminator: 0.01, generator: 0.1 };
    expect(Object.keys(step.inputs).sort()).toEqual(["real", "z"]);
    for (let count = 1; count <= 3; count++) {
      const [z, real] = [rows(random, 2), rows(random, 3)];
      const feeds = { z: tensor(z.flat(), [BATCH, 2]), real: tensor(real.flat(), [BATCH, 3]) };
      const { losses } = await step.run(feeds, { step: count, learningRate: rates });
      const expected = byHand.run(z, real, count, rates);
      for (const [key, value] of Object.entries(expected))
        expect(Math.abs(losses[key]! - value), `${key} loss of step ${count}`).toBeLessThan(tolerance);
      const state = await step.read();
      for (const [key, values] of Object.entries(byHand.state))
        floats(state[`weights/${key}`]!).forEach((value, at) => {
          expect(Math.abs(value - values[at]!), `${key}[${at}] after step ${count}`).toBeLessThan(tolerance);
        });
    }
    expect(byHand.state["generator/in.weight"]).not.toEqual([...floats(weights["generator/in.weight"]!)]);
    await runtime.dispose();
  });
});
