import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { contentsOf, metricsIn, openWorkshop, training, trainKilled, type Workshop } from "./killing.ts";

// The variant with twenty kills is in test/real/robust.real.ts.
const steps = 60;
let shop: Workshop;
let whole: Readonly<Record<string, string>>;

beforeAll(async () => {
  shop = await openWorkshop(2);
  const { code, err } = await shop.start(training("whole", steps)).ended;
  expect(code, err).toBe(0);
  whole = await contentsOf(shop.at("whole"));
});

afterAll(() => shop.remove());

test("a training killed three times and resumed equals one that was not, byte for byte", async () => {
  const { last } = await trainKilled(shop, "killed", { kills: 3, steps, seed: 1 });
  expect(last.code, last.err).toBe(0);
  expect(await contentsOf(shop.at("killed"))).toEqual(whole);
  const lines = metricsIn(await readFile(shop.at("killed/metrics.jsonl"), "utf8"));
  expect(lines.map(({ step }) => step)).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
});

test("Ctrl-C saves, says how to go on, exits with 130; twice at once is the same", async () => {
  for (const [run, presses] of [
    ["stopped", 1],
    ["pressed", 2],
  ] as const) {
    const session = shop.start(training(run, steps));
    await session.steps(7);
    for (let press = 0; press < presses; press++) session.kill("SIGINT");
    const { code, err } = await session.ended;
    expect(code, err).toBe(130);
    expect(err).toMatch(
      /Stopped after step \d+; saved \w+\/checkpoint\.safetensors\.\nGo on with: imago train --resume/,
    );
    const rest = await shop.start(["train", "--resume", run]).ended;
    expect(rest.code, rest.err).toBe(0);
    expect(await contentsOf(shop.at(run))).toEqual(whole);
  }
});

test("nothing is left in the home folder: ONNX Runtime's reports to Microsoft are off", async () => {
  expect(await readdir(shop.at("home"), { recursive: true })).toEqual([]);
});
