import {
  add,
  conv2d,
  type InputAttributes,
  input,
  mean,
  mul,
  type Node,
  silu,
  square,
} from "../../../src/engine/index.ts";
import { parameter } from "../../../src/engine/ops/index.ts";
import { type Shape, sizeOf, type Tensor, tensor } from "../../../src/tensor/tensor.ts";
import { seeded } from "../support.ts";

const random = seeded(11);
const drawn = (shape: Shape, scale: number): Tensor =>
  tensor(Float32Array.from({ length: sizeOf(shape) }, () => scale * (2 * random() - 1)), shape); // biome-ignore format: one line

/** Euler steps of dx/dt = f(x), f being two 3×3 convolutions: x ← x + h · f(x). */
export function euler(shape: Shape) {
  const channels = shape[1]!;
  const square3: Shape = [channels, channels, 3, 3];
  const weight = (name: string): Node =>
    parameter([], { name, network: "f", shape: square3, initializer: { kind: "constant", value: 0 }, trainable: true });
  const weights = Object.fromEntries(["a", "b"].map((name) => [`f/${name}`, drawn(square3, 1 / channels)]));
  const x = input("x", shape) as Node<InputAttributes>;
  const h = input("h", []);
  const slope = conv2d(silu(conv2d(x, weight("a"), { padding: [1, 1, 1, 1] })), weight("b"), { padding: [1, 1, 1, 1] });
  const next = add(x, mul(h, slope));
  return { x, h, next, size: mean(square(next)), slope, weights, start: drawn(shape, 1) };
}
