import { expect, test } from "vitest";
import { z } from "zod";
import { compileFunction, input, matmul, mul, referenceRuntime, reshape } from "../../src/engine/index.ts";
import { normal, zeros } from "../../src/nn/initializers.ts";
import { defineModel, initialWeights, network } from "../../src/nn/model.ts";
import { adversarial, adversarialOptions } from "../../src/recipes/adversarial.ts";
import { vae } from "../../src/recipes/vae.ts";
import { floats, tensor } from "../../src/tensor/tensor.ts";

/** A discriminator of one layer without a bias, score = w · x, and a generator that scales its noise. */
const linearScore = defineModel({
  name: "linear-score",
  summary: "the score is a weighted sum of the pixels",
  paper: "https://arxiv.org/abs/1801.04406",
  options: z.object({ start: z.enum(["zero", "random"]).default("random").describe("first weights") }),
  input: () => [1, 1, 2, 2],
  build: (x, p, { start }) =>
    matmul(reshape(x, [x.shape[0]!, 4]), p.weight("w", [4, 1], start === "zero" ? zeros : normal(1))),
});
const scaling = defineModel({
  name: "scaling",
  summary: "four numbers of noise as a picture",
  paper: "https://arxiv.org/abs/1406.2661",
  options: z.object({}),
  input: () => [1, 4],
  build: (x, p) => reshape(mul(x, p.weight("a", [4], normal(1))), [x.shape[0]!, 1, 2, 2]),
});

const defaults = z.object(adversarialOptions).parse({});

async function losses(loss: "logistic" | "hinge" | "least-squares", start: "zero" | "random", r1 = 0) {
  const discriminator = network(linearScore, { start }, "discriminator");
  const generator = network(scaling, {}, "generator");
  const image = input("image", [3, 1, 2, 2]);
  const { metrics, ...scores } = adversarial({ generator, discriminator, image, latent: 4 }, { ...defaults, loss, r1 });
  const outputs = { ...scores, ...metrics };
  const weights = initialWeights([generator, discriminator], 1);
  const compiled = await compileFunction(outputs, { runtime: referenceRuntime(), weights });
  const ramp = (shape: number[]) =>
    tensor(
      Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
      shape,
    );
  const made = await compiled.run({ image: ramp([3, 1, 2, 2]), latent: ramp([3, 4]) });
  const w = floats(weights["discriminator/w"]!);
  return { w, values: Object.fromEntries(Object.entries(made).map(([name, value]) => [name, floats(value)[0]!])) };
}

test.each([
  ["logistic", 2 * Math.log(2), Math.log(2)],
  ["hinge", 2, 0],
  ["least-squares", 1, 1],
] as const)("%s: an undecided discriminator costs what the paper's formula says", async (loss, judged, fooled) => {
  const { values } = await losses(loss, "zero");
  expect(values.discriminator).toBeCloseTo(judged, 6);
  expect(values.generator).toBeCloseTo(fooled, 6);
});

test("R1 of a linear score is half of γ times the squared norm of its weights by pictures in −1…1", async () => {
  const { w, values } = await losses("logistic", "random", 10);
  const plain = (await losses("logistic", "random")).values;
  const expected = 5 * w.reduce((sum, value) => sum + (value / 2) ** 2, 0);
  expect(values.penalty).toBeCloseTo(expected, 4);
  expect(values.discriminator! - plain.discriminator!).toBeCloseTo(expected, 4);
});

test("the VAE's loss is the negative ELBO: closed form where all weights are zero", async () => {
  const options = vae.options.parse({ size: 4, latent: 3, beta: 2 });
  const networks = vae.networks(options, {});
  const image = input("image", [2, 1, 4, 4]);
  const { turns, metrics } = vae.step!(networks, { image }, options, 1);
  const outputs = { vae: turns.vae!.loss, ...metrics };
  const weights = Object.fromEntries(
    Object.entries(initialWeights(Object.values(networks), 1)).map(([name, { data, shape }]) => {
      // Means 1 and log variances 0 from the bias of the code; every pixel's logit is 0.
      const value = new Float32Array(data.length);
      if (name.endsWith("encoder.code.bias")) value.fill(1, 0, 3);
      return [name, tensor(value, shape)];
    }),
  );
  const compiled = await compileFunction(outputs, { runtime: referenceRuntime(), weights });
  const noise = tensor(new Float32Array(6).fill(0.3), [2, 3]);
  const made = await compiled.run({
    image: tensor(new Float32Array(32).fill(0.25), image.shape),
    "posterior noise": noise,
  });
  expect(floats(made.divergence!)[0]).toBeCloseTo(3 * 0.5, 6); // ½ (mean² + variance − log variance − 1) each
  expect(floats(made.reconstruction!)[0]).toBeCloseTo(16 * Math.log(2), 5);
  expect(floats(made.vae!)[0]).toBeCloseTo(16 * Math.log(2) + 2 * 1.5, 5);
});
