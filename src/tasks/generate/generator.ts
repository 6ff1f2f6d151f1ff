import { compileFunction, input, inputsOf, type Node, type Runtime, type Tensors } from "../../engine/index.ts";
import { internal, userError } from "../../errors.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import { givenLeaves, type Network } from "../../nn/model.ts";
import type { UseOf } from "../../nn/use.ts";
import { random } from "../../tensor/random.ts";
import { indices, type Tensor, tensor } from "../../tensor/tensor.ts";
import { rowsFrom, runRows } from "../common/batches.ts";
import { codeOf, codesOf } from "../common/codes.ts";

/** Whose noise pictures have, where a generator adds some: that of picture `of[row]` of a seed. */
export interface RowNoise {
  readonly seed: number;
  readonly of: readonly number[];
}

/** What pictures are made from, a row each. */
export interface Rows {
  /** [N, latent], N(0, 1). */
  readonly codes: Tensor;
  /** Class numbers, one a row, where the generator has classes. */
  readonly labels?: readonly number[];
  /** How far styles stray from their mean, 0…1; 1 unless given. */
  readonly truncation?: number | undefined;
  readonly noise: RowNoise;
}

/** How a diffusion model makes pictures. */
export interface Sampling {
  readonly sampler?: string | undefined;
  readonly samplerSteps?: number | undefined;
}

/** What stops a run, and who is told how far it is. */
export interface RunHooks {
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: (done: number, total: number) => void;
}

/** A generator, ready to run. Pictures are [N, C, size, size] in 0…1. */
export interface Generator {
  /** Pictures that are made at a time. */
  readonly batch: number;
  /** @throws the signal's reason when it is aborted */
  run(rows: Rows, hooks?: RunHooks): Promise<Tensor>;
  dispose(): Promise<void>;
}

/** Pictures that are made at a time. */
export const BATCH = 64;

const countTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** The rows of the first pictures of a seed. */
export const firstRows = (latent: number, seed: number, count: number): Pick<Rows, "codes" | "noise"> => ({
  codes: codesOf(latent, seed, count),
  noise: { seed, of: countTo(count) },
});

/** The rows from one number to another. */
export const rowsBetween = ({ codes, labels, noise, ...rest }: Rows, from: number, to: number): Rows => ({
  ...rest,
  codes: rowsFrom(codes, from, to),
  ...(labels && { labels: labels.slice(from, to) }),
  noise: { ...noise, of: noise.of.slice(from, to) },
});

/** What the further inputs of a generator are filled from. */
type Given = Omit<Rows, "codes">;

/** One further input of the rows `at`. @param width numbers a row     @param latent numbers of a code */
type Filling = (
  rows: Given,
  at: readonly number[],
  sizes: { readonly width: number; readonly latent: number },
) => Tensor;

/** How each further input that generators have is filled, by its name. */
const fillings: Readonly<Record<string, Filling>> = {
  label: ({ labels = [] }, at) => indices(at.map((row) => labels[row] ?? 0), [at.length]),
  truncation: ({ truncation = 1 }, at) => tensor(at.map(() => truncation), [at.length]),
  noise({ noise: { seed, of } }, at, { width, latent }) {
    const all = new Float32Array(at.length * width);
    for (const [n, row] of at.entries()) {
      // The stream goes by the picture's code, so that a picture of a seed stays what it has always been.
      const { normal } = random("noise of styles", codeOf(latent, seed, of[row] ?? 0).join());
      for (let i = 0; i < width; i++) all[n * width + i] = normal();
    }
    return tensor(all, [at.length, width]);
  },
}; // biome-ignore format: a line each

/** Which further inputs a generator has. */
export const takes = ({ network }: LoadedModel, name: string): boolean =>
  name in (network?.model.given?.(network.options) ?? {});

/**
 * Fills the further inputs that an output of a generator reads, for the batch from a row on.
 * @throws an internal error for an input that nothing fills
 */
export const filler = (network: Network, output: Node, { latent }: UseOf<"generate">) => {
  const given = network.model.given?.(network.options) ?? {};
  const read = new Set(inputsOf([output]).map(({ attributes }) => attributes.name));
  const wanted = Object.entries(given).filter(([name]) => read.has(name));
  return (rows: Given) =>
    (from: number): Tensors => {
      const at = countTo(BATCH).map((row) => from + row);
      return Object.fromEntries(
        wanted.map(([name, { shape }]) => {
          if (!fillings[name]) throw internal(`nothing fills the input ${name} of ${network.key}`);
          return [name, fillings[name](rows, at, { width: shape[1] ?? 1, latent })];
        }),
      );
    };
};

/** The network of a generator. @throws UserError where it is known as a graph only */
export const networkOf = ({ network, path }: LoadedModel<UseOf<"generate">>): Network => {
  if (network) return network;
  throw userError(path, "expected a generator of this package, got a graph");
};

/**
 * Opens a generator that makes pictures in one pass. Every picture is made in a batch of the same size, so its
 * neighbors change nothing.
 */
export async function openOnePass(model: LoadedModel<UseOf<"generate">>, runtime: Runtime): Promise<Generator> {
  const { usage, weights } = model;
  const network = networkOf(model);
  const given = givenLeaves(network.model, network.options, BATCH);
  const output = network(input("input", [BATCH, usage.latent]), { given });
  const executable = await compileFunction({ output }, { runtime, weights });
  const fill = filler(network, output, usage);
  return {
    batch: BATCH,
    run: (rows) => runRows(executable, { input: rows.codes }, BATCH, fill(rows)),
    dispose: () => executable.dispose(),
  };
}
