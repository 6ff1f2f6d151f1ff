import { compileFunction, type Executable, input, type Runtime, type Tensors } from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import { givenLeaves, type Network } from "../../nn/model.ts";
import type { GenerateUsage } from "../../nn/usage.ts";
import { random } from "../../tensor/random.ts";
import { floats, indices, type Tensor, tensor } from "../../tensor/tensor.ts";
import { runRows } from "../common/batches.ts";

/** What pictures are made from. */
export interface Codes {
  /** [N, latent], N(0, 1). */
  readonly codes: Tensor;
  /** Class numbers, one a row, where the generator has classes. */
  readonly labels?: readonly number[];
  /** How far styles stray from their mean, 0…1; 1 unless given. For generators with styles. */
  readonly truncation?: number | undefined;
  /** Codes [N, latent] whose noise the pictures have, where the generator adds some; their own unless given. */
  readonly noiseOf?: Tensor | undefined;
}

/** A generator, ready to run. Pictures are [N, C, size, size] in 0…1. */
export interface Generator {
  run(codes: Codes): Promise<Tensor>;
  dispose(): Promise<void>;
}

/** The halves of a generator with styles: codes to styles [N, styles, latent], and those to pictures. */
export interface StyledGenerator {
  styles(codes: Codes): Promise<Tensor>;
  /** `noiseOf` as in `Codes`. */
  pictures(styles: Tensor, noiseOf: Tensor): Promise<Tensor>;
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

/** Which code's noise a row of pictures has: only read here, the generator itself does not know this input. */
const NOISE_OF = "codes of noise";

/** Fresh noise [N, P] for every code, always the same for the same one. */
const noiseFor =
  ({ model, options }: Network) =>
  ({ [NOISE_OF]: codes }: Tensors): Tensors => {
    const count = model.given?.(options).noise?.shape[1];
    if (count === undefined) return {};
    const rows = codes!.shape[0]!;
    const latent = codes!.data.length / rows;
    const all = new Float32Array(rows * count);
    for (let row = 0; row < rows; row++) {
      const { normal } = random(
        "noise of styles",
        floats(codes!)
          .subarray(row * latent, (row + 1) * latent)
          .join(),
      );
      for (let i = 0; i < count; i++) all[row * count + i] = normal();
    }
    return { noise: tensor(all, [rows, count]) };
  };

const networkOf = ({ network, path }: LoadedModel<GenerateUsage>) => {
  if (network) return network;
  throw userError(path, "expected a generator of this package, got a graph");
};

/** Tensors for the inputs of a generator: codes, and what else it takes. */
function feedsOf(
  { classes, styles }: GenerateUsage,
  { codes, labels = [], truncation = 1, noiseOf = codes }: Codes,
): Tensors {
  const [count = 0] = codes.shape;
  const each = (of: (i: number) => number): number[] => Array.from({ length: count }, (_, i) => of(i));
  return {
    input: codes,
    [NOISE_OF]: noiseOf,
    ...(classes > 0 && { label: indices(each((i) => labels[i] ?? 0), [count]) }),
    ...(styles !== undefined && { truncation: tensor(each(() => truncation), [count]) }),
  }; // biome-ignore format: a line each
}

/** Opens a generator. Every picture is made in a batch of the same size, so its neighbors change nothing. */
export async function openGenerator(model: LoadedModel<GenerateUsage>, runtime: Runtime): Promise<Generator> {
  const { usage, weights } = model;
  const network = networkOf(model);
  const given = givenLeaves(network.model, network.options, BATCH);
  const output = network(input("input", [BATCH, usage.latent]), { given });
  const executable: Executable = await compileFunction({ output }, { runtime, weights });
  return {
    run: (codes) => runRows(executable, feedsOf(usage, codes), BATCH, noiseFor(network)),
    dispose: () => executable.dispose(),
  };
}

/** Opens the halves of a generator with styles. */
export async function openStyled(model: LoadedModel<GenerateUsage>, runtime: Runtime): Promise<StyledGenerator> {
  const { usage, weights, path } = model;
  const network = networkOf(model);
  if (usage.styles === undefined) throw userError(path, "expected a generator with styles, got one without");
  const given = givenLeaves(network.model, network.options, BATCH);
  const styles = network.part("styles", input("input", [BATCH, usage.latent]), { given });
  const pictures = network.part("picture", input("input", styles.shape), { given });
  const [first, second] = [
    await compileFunction({ output: styles }, { runtime, weights }),
    await compileFunction({ output: pictures }, { runtime, weights }),
  ];
  return {
    styles: (codes) => runRows(first, feedsOf(usage, codes), BATCH),
    pictures: (rows, noiseOf) => runRows(second, { input: rows, [NOISE_OF]: noiseOf }, BATCH, noiseFor(network)),
  };
}
