// @ts-check
/** @typedef {Pick<typeof import("imago/web"), "defineModel" | "defineRecipe" | "engine" | "examples" | "layers" | "losses" | "move" | "network" | "openLearner" | "openShapes" | "optimizers" | "schedules" | "z">} Imago */

const SIZE = 28;

/** The dense autoencoder 784-32-784 on drawn shapes, 16 a step. @param {Imago} imago */
function recipeOf(imago) {
  const { defineModel, defineRecipe, engine, examples, layers, losses, move, network, optimizers, schedules, z } =
    imago;
  const paper = "https://doi.org/10.1126/science.1127647";
  const model = defineModel({
    name: "dense",
    summary: "784-32-784",
    paper,
    options: z.object({}),
    input: () => [1, 1, SIZE, SIZE],
    build(x, p) {
      const flat = engine.reshape(x, [x.shape[0] ?? 1, -1]);
      const code = engine.relu(layers.linear(flat, p("encode"), { out: 32 }));
      const logits = layers.linear(code, p("decode"), { out: SIZE * SIZE });
      return engine.reshape(engine.sigmoid(logits), x.shape);
    },
  });
  return defineRecipe({
    name: "dense",
    summary: "784-32-784 under mean squared error",
    paper,
    options: z.object({ batch: z.int().default(16) }),
    networks: () => ({ dense: network(model) }),
    data: ({ batch }) => examples({ size: SIZE, channels: 1, batch }),
    results: () => ({ dense: { task: "reconstruct", size: SIZE, channels: 1, latent: [32] } }),
    step({ dense }, { image }) {
      const loss = losses.mse(dense(image, { training: true }), image);
      const how = { optimizer: optimizers.adam(), rate: schedules.constantRate(2e-3) };
      return { turns: { dense: move(dense, loss, how) } };
    },
  });
}

/**
 * What the page and Node do alike: train and say the loss of every step, take one step of which nothing is shown, and say
 * the biases of the code that this led to. `mark` is called before the steps, after them, after the hidden one and at the end.
 * @param {Imago} imago @param {import("imago/web").engine.Runtime} runtime @param {number} steps @param {() => Promise<void>} [mark]
 */
export async function train(imago, runtime, steps, mark = async () => {}) {
  const learner = await imago.openLearner(recipeOf(imago), { steps, seed: 7 }, { runtime, open: imago.openShapes });
  const losses = [];
  await mark();
  const start = performance.now();
  for (let step = 1; step <= steps; step++) losses.push((await learner.step()).dense ?? Number.NaN);
  const ms = (performance.now() - start) / steps;
  await mark();
  const hidden = await learner.step({ isShown: false });
  await mark();
  const { weights } = await learner.model();
  await mark();
  await learner.dispose();
  return {
    losses,
    ms,
    hidden: Object.keys(hidden),
    biases: Array.from(weights["dense/encode.bias"]?.data ?? [], Number),
  };
}
