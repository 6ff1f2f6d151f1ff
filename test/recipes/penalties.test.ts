import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/engine/graph/node.ts";
import {
  compileFunction,
  evaluate,
  gradient,
  input,
  inputsOf,
  keyOf,
  mean,
  type Node,
  parametersOf,
} from "../../src/engine/index.ts";
import { createRuntime } from "../../src/engine/runtime/node.ts";
import { dcganDiscriminator } from "../../src/models/dcgan.ts";
import { stylegan2Discriminator, stylegan2Generator } from "../../src/models/stylegan2.ts";
import { network } from "../../src/nn/model.ts";
import { between, oneCentered, zeroCentered } from "../../src/recipes/penalties.ts";
import { indices, sizeOf, tensor } from "../../src/tensor/tensor.ts";
import { centralDifferences, distance, seeded } from "../engine/support.ts";

const small = { size: 16, channels: 1, width: 4, most: 6, classes: 3 } as const;
const training = { training: true, given: { label: input("label", [2], { dtype: "int64" }) } };
const [real, made] = [input("real", [2, 1, 16, 16]), input("made", [2, 1, 16, 16])];

/** Penalties of first derivatives, as scalars of small networks: their gradients by the weights are second derivatives. */
const penalties: Readonly<Record<string, () => Node>> = {
  R1: () => zeroCentered(network(stylegan2Discriminator, small)(real, training), real, 300),
  "R1 under batch normalization": () => {
    const image = input("image", [2, 1, 28, 28]);
    const judge = network(dcganDiscriminator, { size: 28, channels: 1, width: 4 });
    return zeroCentered(judge(image, { training: true }), image, 300);
  },
  "WGAN-GP": () => {
    const mixed = between(real, made);
    return oneCentered(network(stylegan2Discriminator, small)(mixed, training), mixed, 10);
  },
  "path length": () => {
    const generator = network(stylegan2Generator, { ...small, latent: 4, mapping: 2 });
    return mean(generator.part("path", input("codes", [2, 4]), training));
  },
};

describe.each(Object.entries(penalties))("%s", (_, build) => {
  const penalty = build();
  const parameters = parametersOf([penalty]);
  const trainable = parameters.filter(({ attributes }) => attributes.trainable);
  const gradients = gradient(penalty, trainable);
  const random = seeded(5);
  const values = new Map<Node, NDArray>(
    [...inputsOf([penalty]), ...parameters].map((leaf) => {
      const draw = leaf.dtype === "int64" ? () => Math.floor(3 * random()) : () => Math.fround(2 * random() - 0.8);
      return [leaf, { shape: leaf.shape, data: Float64Array.from({ length: sizeOf(leaf.shape) }, draw) }];
    }),
  );
  const exact = evaluate([penalty, ...gradients], values);

  test("its gradient by weights equals central differences in float64", () => {
    const few = trainable.map((_, at) => at).filter((at) => sizeOf(trainable[at]!.shape) <= 8);
    expect(few.length).toBeGreaterThan(2);
    const chosen = few.filter((_, at) => at % Math.ceil(few.length / 5) === 0);
    const numeric = centralDifferences(penalty, chosen.map((at) => trainable[at]!), values); // biome-ignore format: one line
    const scale = Math.max(...numeric.flatMap(({ data }) => [...data].map(Math.abs)));
    expect(scale).toBeGreaterThan(1e-6);
    for (const [i, at] of chosen.entries()) {
      const relative = (data: Float64Array) => data.map((value) => value / scale);
      expect(distance(relative(exact[at + 1]!.data), relative(numeric[i]!.data)), keyOf(trainable[at]!)).toBeLessThan(
        1e-4,
      );
    }
  }, 60_000);

  test("ONNX Runtime gives the penalty and its gradients as the reference does", async () => {
    const runtime = createRuntime("cpu", { threads: 1 });
    const weights = Object.fromEntries(
      parameters.map((one) => [keyOf(one), tensor(Float32Array.from(values.get(one)!.data), one.shape)]),
    );
    const outputs = Object.fromEntries([penalty, ...gradients].map((node, at) => [String(at), node]));
    const compiled = await compileFunction(outputs, { runtime, weights });
    const feeds = Object.fromEntries(
      inputsOf([penalty]).map((leaf) => {
        const { data, shape } = values.get(leaf)!;
        const fed = leaf.dtype === "int64" ? indices([...data], shape) : tensor(Float32Array.from(data), shape);
        return [leaf.attributes.name, fed];
      }),
    );
    const results = await compiled.run(feeds);
    for (const [at, { data }] of exact.entries()) {
      const scale = Math.max(1e-6, ...[...data].map(Math.abs));
      const by = (numbers: ArrayLike<number>) => Array.from(numbers, (value) => value / scale);
      expect(distance(by(results[at]!.data as Float32Array), by(data)), at === 0 ? "penalty" : keyOf(trainable[at - 1]!)).toBeLessThan(2e-3); // biome-ignore format: one line
    }
    await runtime.dispose();
  });
});
