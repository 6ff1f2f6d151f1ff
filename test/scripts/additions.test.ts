import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { additions, bundled, filesOf, typeFaults } from "../../scripts/additions.mjs";
import type * as Program from "../../src/cli/program.ts";
import type * as Engine from "../../src/engine/index.ts";
import { makePicture } from "../../src/image/picture.ts";
import type * as Models from "../../src/models/index.ts";
import type * as Networks from "../../src/nn/model.ts";
import type * as Door from "../../src/node.ts";
import type * as Recipes from "../../src/recipes/index.ts";
import type { Sampler } from "../../src/tasks/generate/samplers/sampler.ts";
import type * as Tasks from "../../src/tasks/index.ts";
import { random } from "../../src/tensor/random.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import type * as Steps from "../../src/train/step.ts";

/** Each addition of docs/additions is applied to a copy of src, as docs/add-a-model.md says, and what was added is used. */
const folder = mkdtempSync(join(tmpdir(), "imago-additions-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The built copy of src with one addition. */
async function open(name: string): Promise<<T>(file: string) => Promise<T>> {
  const addition = additions.find((one) => one.name === name)!;
  return bundled(addition, join(folder, name));
}
type Built = Awaited<ReturnType<typeof open>>;

test("all additions together are typed correctly", { timeout: 240_000 }, () => {
  expect(typeFaults(join(folder, "types"))).toBe("");
});

test.each(additions.filter(({ most }) => most))("$name takes few files", (addition) => {
  const { made, edited } = filesOf(addition);
  expect(made.length).toBeLessThanOrEqual(addition.most![0]);
  expect(edited.length).toBeLessThanOrEqual(addition.most![1]);
});

/** Some steps of every stage of a recipe on random pictures, in float64; the losses and the state of each stage. */
async function steps(
  load: Built,
  name: string,
  options: object,
  { count, given = {} }: { count: number; given?: Recipes.Given },
) {
  const { recipes } = await load<typeof Recipes>("recipes/index");
  const { openRecipe } = await load<typeof Steps>("train/step");
  const { referenceRuntime } = await load<typeof Engine>("engine/index");
  const recipe = recipes.find((one) => one.name === name)!;
  const { stages } = openRecipe(recipe, { options: recipe.options.parse(options), steps: 2 * count, given });
  const runtime = referenceRuntime();
  const made = [];
  for (const stage of stages) {
    const step = await stage.compile(runtime);
    const { uniform } = random(7, "feeds");
    const feeds = Object.fromEntries(
      Object.entries(step.inputs).map(([input, shape]) => [
        input,
        tensor(
          Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => uniform()),
          shape,
        ),
      ]),
    );
    const losses = [];
    for (let at = 1; at <= count; at++)
      losses.push((await step.run(feeds, { step: at, learningRate: stage.rate(at) })).losses);
    made.push({ name: stage.name, losses, state: await step.read() });
    await step.dispose();
  }
  return made;
}

const areFinite = (losses: readonly Readonly<Record<string, number>>[]): boolean =>
  losses.every((one) => Object.values(one).every(Number.isFinite));

describe("what was added", { timeout: 120_000 }, () => {
  test("a network learns", async () => {
    const load = await open("network");
    const { models } = await load<typeof Models>("models/index");
    expect(models.map(({ name }) => name)).toContain("espcn");
    const options = { features: 4, side: 8, batch: 1, learningRate: 0.01 };
    const [{ losses }] = (await steps(load, "espcn", options, { count: 8 })) as [Awaited<ReturnType<typeof steps>>[0]];
    expect(losses.at(-1)!.espcn).toBeLessThan(losses[0]!.espcn! / 2);
  });

  test("a staged recipe trains in both stages, and the frozen network is in no state", async () => {
    const load = await open("staged");
    const { models } = await load<typeof Models>("models/index");
    const { initialWeights, network } = await load<typeof Networks>("nn/model");
    const features = network(models.find(({ name }) => name === "vgg")!, { width: 2, layers: [1, 1] });
    const usage = { task: "embed", size: 32, channels: 3, features: 4 } as const;
    const given = { features: { network: features, weights: initialWeights([features], 1), usage } };
    const options = { scale: 2, width: 2, blocks: 1, side: 8, batch: 2, pretrainSteps: 2, features: "vgg.safetensors" };
    const made = await steps(load, "srgan", options, { count: 2, given });
    expect(made.map(({ name }) => name)).toEqual(["pretrain", "adversarial"]);
    expect(made.map(({ losses }) => Object.keys(losses[0]!).filter((name) => !name.startsWith("norm"))).map((names) => names.sort())).toEqual([["generator"], ["content", "discriminator", "generator"]]); // biome-ignore format: one question
    expect(made.every(({ losses }) => areFinite(losses))).toBe(true);
    expect(Object.keys(made[1]!.state).filter((name) => name.includes("vgg"))).toEqual([]);
  });

  test("two generators move by one loss, and pools fill", async () => {
    const load = await open("twoGenerators");
    const options = { size: 32, channels: 1, width: 2, blocks: 1, pool: 3, batch: 1 };
    const [made] = await steps(load, "cyclegan", options, { count: 2 });
    expect(areFinite(made!.losses)).toBe(true);
    expect(Object.keys(made!.losses[0]!)).toEqual(expect.arrayContaining(["generators", "judgeA", "judgeB", "cycle"]));
    expect(made!.state["weights/poolA/filled"]!.data[0]).toBe(2);
    expect(made!.state["m/ab/picture.weight"]!.data.some((value) => value !== 0)).toBe(true);
    expect(made!.state["m/ba/picture.weight"]!.data.some((value) => value !== 0)).toBe(true);
  });

  test("a sampler comes to the picture; half the steps, twice the error", async () => {
    const load = await open("sampler");
    const { samplers } = await load<{ readonly samplers: readonly Sampler[] }>("tasks/generate/samplers/index");
    const { constant, evaluate } = await load<typeof Engine>("engine/index");
    const { next } = samplers.find(({ name }) => name === "euler")!;
    const [picture, noise, from, to] = [0.5, -1.2, 0.2, 0.95];
    const at = (alphaBar: number): number => Math.sqrt(alphaBar) * picture + Math.sqrt(1 - alphaBar) * noise; // the exact way
    const errorOf = (count: number): number => {
      let x = at(from);
      for (let step = 0; step < count; step++) {
        const [here, there] = [step, step + 1].map((k) => from * (to / from) ** (k / count)) as [number, number];
        const epsilon = (x - Math.sqrt(here) * picture) / Math.sqrt(1 - here);
        const levels = { alphaBar: constant([here]), alphaBarNext: constant([there]) };
        x = evaluate([next(constant([x]), constant([epsilon]), constant([0]), levels)], new Map())[0]!.data[0]!;
      }
      return Math.abs(x - at(to));
    };
    expect(errorOf(400)).toBeLessThan(0.01);
    expect(errorOf(200) / errorOf(400)).toBeCloseTo(2, 1);
  });

  test("a task is in the list and does its work", async () => {
    const load = await open("task");
    const { tasks } = await load<typeof Tasks>("tasks/index");
    const recolor = tasks.find(({ name }) => (name as string) === "recolor")!;
    const gray = makePicture({ width: 2, height: 2, channels: 3, depth: 8 }, new Uint8Array(12).fill(128));
    const photo = makePicture({ width: 2, height: 1, channels: 3, depth: 8 }, Uint8Array.of(200, 30, 90, 10, 120, 40));
    const tools = { platform: { codec: { read: async () => gray } } } as never;
    const ticks = recolor.run(photo as never, { like: "gray.png" } as never, tools);
    let tick = await ticks.next();
    while (!tick.done) tick = await ticks.next();
    expect([...(tick.value as unknown as typeof photo).data]).toEqual(Array(6).fill(128)); // a picture of one color has no other
  });

  test("it has a command and a function", async () => {
    const load = await open("command");
    const { main } = await load<typeof Program>("cli/program");
    const said: string[] = [];
    const io = { out: (text: string) => void said.push(text), err: (text: string) => void said.push(text), isTerminal: false }; // biome-ignore format: one line
    expect(await main(["recolor", "--help"], io), said.join("")).toBe(0);
    expect(said.join("")).toContain("--like <picture>");
    expect(await load<typeof Door>("node")).toHaveProperty("recolor");
  });

  test("an op is in the table, and its gradient equals central differences", async () => {
    const load = await open("op");
    const { evaluate, gradient, input, ops } = await load<typeof Engine>("engine/index");
    const row = ops.find(({ name }) => name === "softsign")!;
    const x = input("x", [1]);
    const y = { op: row, inputs: [x], attributes: {}, shape: [1], dtype: "float32", scope: "" } as const;
    const at = (value: number) => new Map([[x, { shape: [1], data: Float64Array.of(value) }]]);
    const [slope] = evaluate(gradient(y, [x]), at(0.7));
    const [above, below] = [0.7 + 1e-5, 0.7 - 1e-5].map((value) => evaluate([y], at(value))[0]!.data[0]!);
    expect(slope!.data[0]).toBeCloseTo((above! - below!) / 2e-5, 8);
  });
});
