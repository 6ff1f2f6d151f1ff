import { compileFunction, type Executable, input, type Runtime } from "../engine/index.ts";
import { userError } from "../errors.ts";
import { givenLeaves } from "../nn/model.ts";
import type { GenerateUsage } from "../nn/usage.ts";
import { random } from "../tensor/random.ts";
import { floats, indices, sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import type { LoadedModel } from "./modelFile.ts";

/** A generator, ready to run. */
export interface Generator {
  /**
   * Codes [N, latent], and labels (one a row) where the generator has classes, to pictures [N, C, size, size] in 0…1.
   * @param truncation how far styles stray from their mean, 0…1; for generators with styles
   */
  run(codes: Tensor, labels?: readonly number[], truncation?: number): Promise<Tensor>;
  dispose(): Promise<void>;
}

const BATCH = 64;

/** The code of picture `index` of a seed: the same whatever else is made beside it. */
export function codeOf(latent: number, seed: number, index: number): Float32Array {
  const { normal } = random(seed, "code", index);
  return Float32Array.from({ length: latent }, normal);
}

/** The codes [count, latent] of the pictures from `first` on. */
export function codesOf(latent: number, seed: number, count: number, first = 0): Tensor {
  const all = new Float32Array(count * latent);
  for (let i = 0; i < count; i++) all.set(codeOf(latent, seed, first + i), i * latent);
  return tensor(all, [count, latent]);
}

/** Opens a generator. Every picture is made in a batch of the same size, so its neighbors change nothing. */
export async function openGenerator(
  { network, usage, weights, path }: LoadedModel<GenerateUsage>,
  runtime: Runtime,
): Promise<Generator> {
  if (!network) throw userError(path, "expected a generator of this package, got a graph");
  const { latent, classes, styles } = usage;
  const given = givenLeaves(network.model, network.options, BATCH);
  const output = network(input("input", [BATCH, latent]), { given });
  const executable: Executable = await compileFunction({ output }, { runtime, weights });
  return {
    async run(codes, labels = [], truncation = 1) {
      const [count = 0] = codes.shape;
      const area = sizeOf(output.shape.slice(1));
      const all = new Float32Array(count * area);
      for (let from = 0; from < count; from += BATCH) {
        const part = new Float32Array(BATCH * latent);
        part.set(floats(codes).subarray(from * latent, Math.min(count, from + BATCH) * latent));
        const label = indices(
          Array.from({ length: BATCH }, (_, i) => labels[from + i] ?? 0),
          [BATCH],
        );
        const feeds = {
          input: tensor(part, [BATCH, latent]),
          ...(classes > 0 && { label }),
          ...(styles && { truncation: tensor(new Float32Array(BATCH).fill(truncation), [BATCH]) }),
        };
        const made = floats((await executable.run(feeds)).output!);
        all.set(made.subarray(0, Math.min(BATCH, count - from) * area), from * area);
      }
      return tensor(all, [count, ...output.shape.slice(1)]);
    },
    dispose: () => executable.dispose(),
  };
}
