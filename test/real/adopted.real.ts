import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { readMnist } from "../../src/data/sets/mnist.ts";
import { compileFunction, input } from "../../src/engine/index.ts";
import { createRuntime } from "../../src/engine/runtime/node.ts";
import { loadModel, taskOf } from "../../src/modelFiles/read.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { nodeFiles } from "../../src/platform/nodeFiles.ts";
import { judge } from "../../src/tasks/evaluate/judge.ts";
import { floats, type Tensor, tensor } from "../../src/tensor/tensor.ts";

/** Networks of csinva/gan-vae-pretrained-pytorch as PyTorch ran them (weights/EXPECTED.json). */
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const shared = resolve(root, process.env.IMAGO_SHARED ?? "../shared", "data");
const isHere = existsSync(`${shared}/weights/EXPECTED.json`);
if (!isHere) console.warn(`SKIPPED: ${shared}/weights is missing; set IMAGO_SHARED to compare with PyTorch.`);

const platform = nodePlatform();
const runtime = createRuntime("cpu", { threads: 1 });
afterAll(() => runtime.dispose());
const at = (name: string) => `${shared}/weights/mnist_${name}.safetensors`;
const [generator, dense] = [at("gan_mlp_csinva/G"), at("gan_mlp_csinva/D")];
const [convolutional, lenet] = [at("dcgan_csinva/netD"), at("lenet_csinva/lenet")];

async function outputOf(path: string, x: Tensor): Promise<Tensor> {
  const model = await loadModel(path, platform);
  const compiled = await compileFunction({ y: model.build(input("x", x.shape)) }, { runtime, weights: model.weights });
  const { y } = await compiled.run({ x });
  await compiled.dispose();
  return y!;
}

const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score));
const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b) / values.length;

async function digits(count: number): Promise<Tensor> {
  const source = await readMnist(`${shared}/mnist`, "test", nodeFiles);
  return source.take(Array.from({ length: count }, (_, i) => i)).image!;
}

describe.skipIf(!isHere)("foreign networks of MNIST", () => {
  const expected = isHere ? JSON.parse(readFileSync(`${shared}/weights/EXPECTED.json`, "utf8")) : {};
  const code = tensor(Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)), [1, 64]); // biome-ignore format: one line

  test("are known by their tensors", async () => {
    const tasks = await Promise.all([generator, dense, convolutional, lenet].map((path) => taskOf(path, platform)));
    expect(tasks).toEqual(["generate", "discriminate", "discriminate", "classify"]);
  });

  test("the dense GAN makes and judges what it did in PyTorch", async () => {
    const known = expected.mnist_gan_mlp_csinva;
    const made = await outputOf(generator, code);
    const symmetric = floats(made).map((value) => 2 * value - 1); // theirs are −1…1
    expect(made.shape).toEqual([1, 1, 28, 28]);
    for (const [i, value] of known["G(z)"].first5.entries()) expect(symmetric[i]).toBeCloseTo(value, 4);
    expect(mean(symmetric)).toBeCloseTo(known["G(z)"].mean, 4);
    expect(Math.max(...symmetric)).toBeCloseTo(known["G(z)"].max, 4);
    const deviation = Math.sqrt(mean(symmetric.map((value) => (value - mean(symmetric)) ** 2)));
    expect(deviation).toBeCloseTo(known["G(z)"].std, 4);
    expect(sigmoid(floats(await outputOf(dense, made))[0]!)).toBeCloseTo(known["D(G(z))"], 4);
    const logits = floats(await outputOf(lenet, made));
    expect(logits.indexOf(Math.max(...logits))).toBe(known["lenet class of G(z) and log-prob"][0]);
  });

  test("both discriminators give the measured probabilities on test digits", async () => {
    const known = expected.mnist_dcgan_csinva_netD;
    const real = await digits(1000);
    const theirs = floats(await outputOf(convolutional, real)).map(sigmoid);
    for (const [i, value] of known["first 5 test digits"].entries()) expect(theirs[i]).toBeCloseTo(value, 4);
    expect(mean(theirs)).toBeCloseTo(known["mean over first 1000"], 4);
    const scores = floats(await outputOf(dense, real));
    const name = "D on first 1000 test digits scaled to -1..1, mean";
    expect(mean(scores.map(sigmoid))).toBeCloseTo(expected.mnist_gan_mlp_csinva[name], 4);
  });

  test("LeNet tells 99.08 % of the 10,000 test digits", async () => {
    const { figures } = await judge({ model: lenet, data: `${shared}/mnist` }, platform, { name: "cpu", threads: 1 });
    expect(figures.accuracy).toBeCloseTo(0.9908, 6);
  });
});
