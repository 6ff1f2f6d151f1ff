import { expect, test } from "vitest";
import { createRuntime } from "../../../src/engine/runtime/node.ts";
import { bench, openWorkload } from "../../../src/tasks/bench/bench.ts";
import { profileWorkload } from "../../../src/tasks/bench/profile.ts";
import { workloads } from "../../../src/tasks/bench/workloads.ts";

const named = (name: string) => workloads.find((one) => one.name === name)!;

test("a bench yields a row for the step and one for the forward pass", async () => {
  const runtime = createRuntime("cpu", { threads: 1 });
  try {
    const rows = [];
    for await (const row of bench({ only: ["tiny"], rounds: 2 }, runtime)) rows.push(row);
    expect(rows.map(({ workload, kind }) => [workload, kind])).toEqual([
      ["tiny", "step"],
      ["tiny", "inference"],
    ]);
    expect(rows.every(({ ms, worstMs }) => ms > 0 && worstMs >= ms)).toBe(true);
    await expect(openWorkload(named("stylegan2-r1"), "inference", runtime)).rejects.toThrow(
      "stylegan2-r1: expected a workload with a forward pass of its own.",
    );
  } finally {
    await runtime.dispose();
  }
});

test("the steps of GANs are those of their recipes: both updates, averages, penalties", () => {
  const steps = ["dcgan", "stylegan2", "stylegan2-r1"].map((name) => named(name).step());
  for (const { plan, numbers } of steps) {
    expect(Object.keys(plan.turns)).toEqual(["discriminator", "generator"]);
    expect(plan.ema).toEqual(["generator"]);
    expect(numbers(1).emaDecay).toBeGreaterThan(0);
  }
  expect(steps.map(({ plan }) => Object.keys(plan.metrics!))).toEqual([
    ["accuracy"],
    ["accuracy"],
    ["accuracy", "penalty", "path"],
  ]);
  expect(named("dcgan").forward!().output.shape).toEqual([64, 3, 32, 32]);
  expect(named("stylegan2").forward!().output.shape).toEqual([32, 3, 32, 32]);
});

test("the steps of the U-Nets are at the bench's sizes", () => {
  const [translation, noise] = [named("pix2pix"), named("diffusion")];
  expect(Object.keys(translation.step().plan.turns)).toEqual(["discriminator", "generator"]);
  expect(translation.forward!().output.shape).toEqual([1, 3, 256, 256]);
  expect(Object.keys(noise.step().plan.turns)).toEqual(["diffusion"]);
  expect(noise.forward!().output.shape).toEqual([32, 3, 32, 32]);
});

test("the step of a workload is profiled by its layers", async () => {
  const runtime = createRuntime("cpu", { threads: 1 });
  try {
    const { steps, profiled } = await profileWorkload(named("autoencoder"), { runtime, steps: 2, peakMB: () => 0 });
    expect(steps).toBe(2);
    const paths = profiled.runtime.rows.filter(({ kind }) => kind === "arithmetic").map(({ path }) => path);
    expect(new Set(paths)).toEqual(new Set(["autoencoder/encode", "autoencoder/decode"]));
  } finally {
    await runtime.dispose();
  }
});
