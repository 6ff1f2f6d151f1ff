import { random } from "../../tensor/random.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";

/** The code of picture `index` of a seed: the same whatever else is made beside it. */
export function codeOf(latent: number, seed: number, index: number): Float32Array {
  const { normal } = random(seed, "code", index);
  return Float32Array.from({ length: latent }, normal);
}

/** The codes [count, latent], N(0, 1), of the first pictures of a seed. */
export function codesOf(latent: number, seed: number, count: number): Tensor {
  const all = new Float32Array(count * latent);
  for (let i = 0; i < count; i++) all.set(codeOf(latent, seed, i), i * latent);
  return tensor(all, [count, latent]);
}
