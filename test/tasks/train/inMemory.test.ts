import { expect, test } from "vitest";
import { exampleSource } from "../../../src/data/exampleSource.ts";
import { openShapes } from "../../../src/data/sets/shapes.ts";
import { compileStep, type Runtime, referenceRuntime } from "../../../src/engine/index.ts";
import { createRuntime } from "../../../src/engine/runtime/node.ts";
import { initialWeights } from "../../../src/nn/model.ts";
import { autoencoder } from "../../../src/recipes/autoencoder.ts";
import { classifier } from "../../../src/recipes/classifier.ts";
import { type RecipeDefinition, recipes } from "../../../src/recipes/index.ts";
import { type Learner, openLearner } from "../../../src/tasks/train/inMemory.ts";
import { floats } from "../../../src/tensor/tensor.ts";

const options = { variant: "linear", size: 8, latent: 4, batch: 5, steps: 3, seed: 2 } as const;

async function using<T>(runtime: Runtime, work: (learner: Learner) => Promise<T>): Promise<T> {
  try {
    return await work(await openLearner(autoencoder, options, { runtime, open: openShapes }));
  } finally {
    await runtime.dispose();
  }
}

/** The same steps put together by hand, in float64. */
async function byHand(): Promise<readonly number[]> {
  const { steps, seed, ...own } = options;
  const recipe = autoencoder as unknown as RecipeDefinition;
  const full = recipe.options.parse(own);
  const networks = recipe.networks(full, {});
  const inputs = recipe.data(full).inputs(5);
  const { turns } = recipe.step!(networks, inputs, full, steps);
  const { loss, optimizer, rate } = turns.autoencoder!;
  const weights = initialWeights(Object.values(networks), seed);
  const plan = { turns: { autoencoder: { moves: ["autoencoder"], loss, optimizer } } };
  const step = await compileStep(plan, { runtime: referenceRuntime(), weights, seed });
  const source = exampleSource(await openShapes({ size: 8, channels: 1, part: "train" }), { batch: 5, seed });
  const losses = [];
  for (let at = 1; at <= steps; at++) {
    const made = await step.run(await source.batch(at), { step: at, learningRate: rate(at) });
    losses.push(made.losses.autoencoder!);
  }
  return losses;
}

test("a learner takes the recipe's steps on the seed's batches, asked for one by one or all at once", async () => {
  const wanted = (await byHand()).map((loss) => ({ autoencoder: expect.closeTo(loss, 5) }));
  const oneByOne = await using(createRuntime("cpu", { threads: 1 }), async (learner) => {
    const losses = [];
    for (let step = 0; step < options.steps; step++) losses.push(await learner.step());
    return losses;
  });
  expect(oneByOne).toEqual(wanted);
  const atOnce = await using(createRuntime("cpu", { threads: 1 }), (learner) =>
    Promise.all([learner.step(), learner.step(), learner.step()]),
  );
  expect(atOnce).toEqual(wanted);
});

test("a step that shows nothing learns all the same; the model holds the weights of the moment", async () => {
  await using(createRuntime("cpu", { threads: 1 }), async (learner) => {
    const before = await learner.model();
    expect(await learner.step({ isShown: false })).toEqual({});
    const after = await learner.model();
    expect(after.usage).toEqual({ task: "reconstruct", size: 8, channels: 1, latent: [4] });
    const changes = Object.entries(after.weights).map(([name, value]) =>
      floats(value).some((number, i) => number !== floats(before.weights[name]!)[i]),
    );
    expect(changes.length).toBeGreaterThan(3);
    expect(changes.every(Boolean)).toBe(true);
  });
});

test("what does not fit is refused before anything is loaded", async () => {
  const tools = { runtime: referenceRuntime(), open: openShapes };
  const srcnn = recipes.find(({ name }) => name === "srcnn")!;
  await expect(openLearner(srcnn, {}, tools)).rejects.toThrow("srcnn: expected a recipe for pictures of one size, got");
  await expect(openLearner(classifier, { classes: 3 }, tools)).rejects.toThrow(
    'classifier: expected pictures of 3 classes, got 8. Set "classes".',
  );
  await expect(openLearner(autoencoder, { steps: 0 }, tools)).rejects.toThrow(
    /^learn › steps: expected a whole number/,
  );
});
