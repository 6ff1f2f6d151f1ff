import type { Examples } from "../../data/exampleSource.ts";
import { compileFunction, concat, input, reshape } from "../../engine/index.ts";
import { principalComponents, reconstructionError } from "../../metrics/pca.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import { evidence } from "../../recipes/vae.ts";
import { floats, sizeOf } from "../../tensor/tensor.ts";
import { rowsOf } from "../classify/classifier.ts";
import { runRows } from "../common/batches.ts";
import { codesOf } from "../common/codes.ts";
import { type JudgeParts, type Judgment, partsOf, spreadOf } from "../common/judging.ts";
import { openAutoencoder } from "./autoencoder.ts";
import { squaredErrors } from "./watch.ts";

/** Pictures that go through a network at a time. */
const BATCH = 250;

/** The mean ELBO of held-out pictures in nats and its two halves, for autoencoders that give a posterior. */
async function judgeEvidence(
  { network, usage, weights }: LoadedModel<UseOf<"reconstruct">>,
  test: Examples,
  parts: JudgeParts,
): Promise<Judgment["figures"]> {
  if (!network?.model.parts?.posterior) return {};
  const { size, channels } = usage;
  const { reconstruction, divergence } = evidence(network, input("input", [BATCH, channels, size, size]));
  const output = concat(
    [reconstruction, divergence].map((values) => reshape(values, [BATCH, 1])),
    1,
  );
  const run = await compileFunction({ output }, { runtime: parts.runtime, weights });
  const { image } = test.take(spreadOf(test, parts.options.count));
  const noise = codesOf(sizeOf(usage.latent), parts.options.seed, image!.shape[0]!);
  const values = floats(await runRows(run, { input: image!, "posterior noise": noise }, BATCH)); // [N, 2]
  const mean = (column: number): number =>
    values.reduce((sum, value, at) => (at % 2 === column ? sum + value : sum), 0) / (values.length / 2);
  return { elbo: -mean(0) - mean(1), reconstruction: mean(0), divergence: mean(1) };
}

/** The mean squared error of an autoencoder on held-out pictures, beside what as many principal components leave. */
export async function judgeAutoencoder(model: LoadedModel<UseOf<"reconstruct">>, parts: JudgeParts): Promise<Judgment> {
  const { count } = parts.options;
  const { train, test } = await partsOf(model.usage, parts);
  const network = await openAutoencoder(model, parts.runtime);
  const errors = await squaredErrors(test, async (image) => network.decode(await network.encode(image)), count);
  const mse = errors.reduce((sum, error) => sum + error / errors.length, 0);
  const psnr = errors.reduce((sum, error) => sum - (10 * Math.log10(error)) / errors.length, 0);
  parts.hooks.signal?.throwIfAborted();
  const components = principalComponents(rowsOf(train.take(spreadOf(train, 60_000)).image!));
  const held = rowsOf(test.take(spreadOf(test, count)).image!);
  const floor = reconstructionError(components, held, sizeOf(model.usage.latent));
  const bound = await judgeEvidence(model, test, parts);
  return { figures: { mse, psnr, floor, "mse / floor": mse / floor, ...bound, pictures: errors.length } };
}
