import { random } from "../../tensor/random.ts";
import { sizeOf, type Tensor, tensor } from "../../tensor/tensor.ts";
import type { InputAttributes } from "../graph/leaf.ts";
import type { Node } from "../graph/node.ts";

type Noise = Readonly<Record<string, Tensor>>;

/** The noise inputs of one step, drawn from streams that depend on seed, step and name alone. */
const draw = (leaves: readonly Node<InputAttributes>[], seed: number, step: number): Noise =>
  Object.fromEntries(
    leaves.map(({ attributes: { name, shape, noise } }) => {
      const source = random(seed, "noise", name, step);
      const next = noise === "normal" ? source.normal : source.uniform;
      return [name, tensor(Float32Array.from({ length: sizeOf(shape) }, next), shape)];
    }),
  );

/** The noise inputs of steps; those of the next one can be drawn while a step runs. */
export function noiseSource(leaves: readonly Node<InputAttributes>[], seed: number) {
  let ahead: { readonly step: number; readonly drawn: Noise } | undefined;
  return {
    take: (step: number): Noise => (ahead?.step === step ? ahead.drawn : draw(leaves, seed, step)),
    prepare(step: number): void {
      ahead = { step, drawn: draw(leaves, seed, step) };
    },
  };
}
