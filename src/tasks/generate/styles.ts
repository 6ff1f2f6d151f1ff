import { compileFunction, input, type Runtime } from "../../engine/index.ts";
import { userError } from "../../errors.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import { givenLeaves } from "../../nn/model.ts";
import type { UseOf } from "../../nn/use.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { runRows } from "../common/batches.ts";
import { BATCH, filler, networkOf, type RowNoise, type Rows } from "./generator.ts";

/** The halves of a generator with styles: codes to styles [N, styles, latent], and those to pictures. */
export interface StyledGenerator {
  styles(rows: Rows): Promise<Tensor>;
  pictures(styles: Tensor, noise: RowNoise): Promise<Tensor>;
  dispose(): Promise<void>;
}

/** Opens the parts "styles" and "picture" of a generator. @throws UserError for a generator without styles */
export async function openStyled(model: LoadedModel<UseOf<"generate">>, runtime: Runtime): Promise<StyledGenerator> {
  const { usage, weights, path } = model;
  const network = networkOf(model);
  if (!network.model.parts?.styles) throw userError(path, "expected a generator with styles, got one without");
  const given = givenLeaves(network.model, network.options, BATCH);
  const styles = network.part("styles", input("input", [BATCH, usage.latent]), { given });
  const pictures = network.part("picture", input("input", styles.shape), { given });
  const first = await compileFunction({ output: styles }, { runtime, weights });
  const second = await compileFunction({ output: pictures }, { runtime, weights });
  const [fillFirst, fillSecond] = [styles, pictures].map((output) => filler(network, output, usage)) as [Fill, Fill];
  return {
    styles: (rows) => runRows(first, { input: rows.codes }, BATCH, fillFirst(rows)),
    pictures: (rows, noise) => runRows(second, { input: rows }, BATCH, fillSecond({ noise })),
    async dispose() {
      await first.dispose();
      await second.dispose();
    },
  };
}

type Fill = ReturnType<typeof filler>;
