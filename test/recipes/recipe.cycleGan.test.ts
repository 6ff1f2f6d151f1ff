import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { unpaired } from "../../src/data/unpaired.ts";
import type { NDArray } from "../../src/engine/graph/node.ts";
import { add, evaluate, gradient, inputsOf, keyOf, mul, type Node, parametersOf, referenceRuntime, stopGradient, tanh } from "../../src/engine/index.ts"; // biome-ignore format: one line
import { imagePool } from "../../src/nn/imagePool.ts";
import { conv2d } from "../../src/nn/layers.ts";
import { l1, leastSquares } from "../../src/nn/losses.ts";
import { defineModel, network } from "../../src/nn/model.ts";
import { sgd } from "../../src/nn/optimizers.ts";
import { constantRate } from "../../src/nn/schedules.ts";
import { writePicture } from "../../src/platform/codec.ts";
import { defineRecipe, type Move, move, type RecipeDefinition } from "../../src/recipes/index.ts";
import { planResume, planTraining } from "../../src/tasks/train/train.ts";
import { random } from "../../src/tensor/random.ts";
import { floats, sizeOf, tensor } from "../../src/tensor/tensor.ts";
import { openRecipe } from "../../src/train/step.ts";
import { photograph, temporaryFolder, testPlatform } from "../tasks/support.ts";

const SIZE = 8;
const RATE = 0.05;

/** Two convolutions with a bend between them. */
const small = (name: string, out: number) =>
  defineModel({
    name,
    summary: "two convolutions",
    paper: "",
    options: z.object({}),
    input: () => [1, 3, SIZE, SIZE],
    build: (x, p) => conv2d(tanh(conv2d(x, p("first"), { out: 4, kernel: 3 })), p("second"), { out, kernel: 3 }),
  });

/**
 * CycleGAN's step, Zhu et al. 2017, https://arxiv.org/abs/1703.10593: both generators by one loss, then both discriminators, which
 * see a history of 50 pictures.
 */
const cycleGan = defineRecipe({
  name: "cycle-gan",
  summary: "pictures of one kind into another without pairs",
  paper: "https://arxiv.org/abs/1703.10593",
  options: z.object({ lambda: z.number().default(10), batch: z.int().default(2) }),
  data: ({ batch }) => unpaired({ size: SIZE, channels: 3, batch }),
  networks: () => ({
    ab: network(small("generator", 3), {}, "ab"),
    ba: network(small("generator", 3), {}, "ba"),
    judgeA: network(small("judge", 1), {}, "judgeA"),
    judgeB: network(small("judge", 1), {}, "judgeB"),
    poolA: network(imagePool, { size: SIZE, count: 3 }, "poolA"),
    poolB: network(imagePool, { size: SIZE, count: 3 }, "poolB"),
  }),
  results: () => ({
    ab: { task: "translate", from: "a", to: "b", channels: 3, size: SIZE },
    ba: { task: "translate", from: "b", to: "a", channels: 3, size: SIZE },
  }),
  step({ ab, ba, judgeA, judgeB, poolA, poolB }, { a, b }, { lambda }) {
    const training = { training: true };
    const [fakeB, fakeA] = [ab(a, training), ba(b, training)];
    const cycle = add(l1(ba(fakeB, training), a), l1(ab(fakeA, training), b));
    const fooled = add(leastSquares(judgeB(fakeB), true), leastSquares(judgeA(fakeA), true));
    const judged = (judge: typeof judgeA, real: Node, fake: Node): Node =>
      mul(add(leastSquares(judge(real), true), leastSquares(judge(stopGradient(fake)), false)), 0.5);
    const how: Move = { optimizer: sgd(), rate: constantRate(RATE) };
    return {
      turns: {
        generators: move([ab, ba], add(fooled, mul(cycle, lambda)), how),
        judges: move(
          [judgeA, judgeB],
          add(judged(judgeA, a, poolA(fakeA, training)), judged(judgeB, b, poolB(fakeB, training))),
          how,
        ),
      },
      metrics: { cycle },
    };
  },
});

const filled = (name: string, shape: readonly number[]) => {
  const { uniform } = random(name);
  return tensor(Float32Array.from({ length: sizeOf(shape) }, uniform), shape);
};

const asArray = ({ shape, data }: ReturnType<typeof tensor>): NDArray => ({
  shape,
  data: Float64Array.from(data as Float32Array),
});

describe("a CycleGAN step", () => {
  test("moves both generators by the gradient of one loss at the weights that the step began with", async () => {
    const recipe = cycleGan as unknown as RecipeDefinition;
    const options = recipe.options.parse({});
    const [stage] = openRecipe(recipe, { options, steps: 10 }).stages;
    const step = await stage.compile(referenceRuntime());
    const before = await step.read("weights");
    const feeds = { a: filled("a", [2, 3, SIZE, SIZE]), b: filled("b", [2, 3, SIZE, SIZE]) };
    const { losses } = await step.run(feeds, { step: 1, learningRate: RATE });
    const after = await step.read("weights");

    // The same by hand: SGD on the gradient of the generators' loss, in float64.
    const loss = stage.plan().turns.generators!.loss;
    const parameters = parametersOf([loss]);
    const moving = parameters.filter(({ attributes }) => ["ab", "ba"].includes(attributes.network));
    const values = new Map<Node, NDArray>(
      parameters.map((one) => [one, asArray(before[`weights/${keyOf(one)}`]! as ReturnType<typeof tensor>)]),
    );
    for (const leaf of inputsOf([loss])) values.set(leaf, asArray(feeds[leaf.attributes.name as "a" | "b"]));
    const [value, ...slopes] = evaluate([loss, ...gradient(loss, moving)], values);
    expect(losses.generators).toBeCloseTo(value!.data[0]!, 5);
    for (const [at, one] of moving.entries()) {
      const [was, is] = [before, after].map((state) => floats(state[`weights/${keyOf(one)}`]!));
      for (const [i, slope] of slopes[at]!.data.entries()) expect(is![i]).toBeCloseTo(was![i]! - RATE * slope, 5);
    }
    const judges = Object.keys(before).filter((name) => /weights\/judge/.test(name));
    expect(judges.some((name) => floats(before[name]!).some((v, i) => v !== floats(after[name]!)[i]))).toBe(true);
    await step.dispose();
  });

  test("stopped and resumed equals one that ran through, byte for byte, with its pools and both results", async () => {
    const folder = await temporaryFolder();
    for (const side of ["trainA", "trainB"]) {
      await mkdir(join(folder, side));
      for (let i = 0; i < 4; i++)
        await writePicture(join(folder, side, `${i}.png`), photograph(12, 12, i + side.length * i));
    }
    const platform = testPlatform();
    const cpu = { name: "cpu", threads: 1 } as const;
    const run = async (name: string, stop?: number) => {
      const place = join(folder, name);
      const all = { data: [folder], run: place, steps: 30, seed: 3, log: 5, save: 100, sample: 100 };
      const recipe = cycleGan as unknown as RecipeDefinition;
      const end = new AbortController();
      for await (const { step } of (await planTraining(recipe, all, platform, cpu)).start({ signal: end.signal }))
        if (step === stop) end.abort();
      if (stop !== undefined)
        for await (const _ of (await planResume(place, {}, platform, { recipe, runtime: cpu })).start());
      const names = ["checkpoint", "weights", "ba"];
      return Promise.all(
        names.map(async (file) => (await readFile(join(place, `${file}.safetensors`))).toString("base64")),
      );
    };
    expect(await run("stopped", 13)).toEqual(await run("whole"));
  });
});
