import { compileFunction, type Executable, input, type Runtime } from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { inBatches } from "../common/batches.ts";

/** Pictures that go through the network at a time. */
const BATCH = 256;

/** The two halves of an autoencoder, ready to run. Pictures are [N, C, size, size] in 0…1, codes [N, …latent]. */
export interface Autoencoder {
  encode(pictures: Tensor): Promise<Tensor>;
  decode(codes: Tensor): Promise<Tensor>;
  dispose(): Promise<void>;
}

/**
 * Opens the halves on a runtime. Batches of any number are cut and padded to one size.
 * @throws UserError for an autoencoder that is known as a graph only
 */
export async function openAutoencoder(
  { network, usage, weights, path }: LoadedModel<UseOf<"reconstruct">>,
  runtime: Runtime,
  batch = BATCH,
): Promise<Autoencoder> {
  if (!network) throw userError(path, "expected an autoencoder of this package, got a graph");
  const { size, channels, latent } = usage;
  const half = (name: string, shape: readonly number[]): Promise<Executable> =>
    compileFunction({ output: network.part(name, input("input", [batch, ...shape])) }, { runtime, weights });
  const encoder = await half("encode", [channels, size, size]);
  const decoder = await half("decode", latent);
  return {
    encode: (pictures) => inBatches(encoder, pictures, batch),
    decode: (codes) => inBatches(decoder, codes, batch),
    async dispose() {
      await encoder.dispose();
      await decoder.dispose();
    },
  };
}
