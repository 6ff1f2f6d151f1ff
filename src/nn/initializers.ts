import type { Initializer } from "../engine/index.ts";
import { random } from "../tensor/random.ts";
import { type Shape, sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";

/** How many inputs one output sums, and how many outputs one input feeds: [fan in, fan out] of [O, I, k…] weights. */
export function fans(shape: Shape): readonly [number, number] {
  const taps = sizeOf(shape.slice(2));
  return [(shape[1] ?? 1) * taps, (shape[0] ?? 1) * taps];
}

export const zeros: Initializer = { kind: "constant", value: 0 };
export const ones: Initializer = { kind: "constant", value: 1 };
/** N(0, std); 0.02 is DCGAN's. */
export const normal = (std = 0.02, mean = 0): Initializer => ({ kind: "normal", std, mean });
/** U(−bound, bound). */
export const uniform = (bound: number): Initializer => ({ kind: "uniform", bound });
/** He et al. 2015, https://arxiv.org/abs/1502.01852: N(0, √(2 / ((1 + slope²) · fan in))), for (leaky) rectifiers. */
export const kaiming = (shape: Shape, slope = 0): Initializer =>
  normal(Math.sqrt(2 / ((1 + slope * slope) * fans(shape)[0])));
/** What PyTorch layers start with: U(±1/√(fan in)), that is Kaiming uniform with slope √5. */
export const pytorchUniform = (fanIn: number): Initializer => uniform(1 / Math.sqrt(fanIn));
/** Glorot & Bengio 2010: U(±√(6 / (fan in + fan out))). */
export const xavier = (shape: Shape): Initializer => {
  const [into, out] = fans(shape);
  return uniform(Math.sqrt(6 / (into + out)));
};
/**
 * Aitken et al. 2017, https://arxiv.org/abs/1707.02937: the filters that pixel shuffle sets side by side start equal,
 * so there is no checkerboard.
 */
export const icnr = (scale: number, base: Initializer): Initializer => ({ kind: "icnr", scale, base });

/**
 * Convolutions that at first hand a picture through rectifiers unchanged, x = relu(x) − relu(−x), on 2 · planes of
 * their channels; the rest is `base`. Learning then starts from the input instead of from noise. (Dirac weights,
 * Zagoruyko & Komodakis 2017, https://arxiv.org/abs/1706.00388, with a second channel for the negative half.)
 */
export const identity = (place: "first" | "between" | "last", planes: number, base: Initializer): Initializer => ({
  kind: "identity",
  place,
  planes,
  base,
});

/** Overwrites the channels of `identity` in weights [O, I, kh, kw]. */
function passThrough(data: Float32Array, shape: Shape, place: "first" | "between" | "last", planes: number): void {
  const [outputs, inputs, height, width] = shape as readonly [number, number, number, number];
  const taps = height * width;
  const center = Math.floor(height / 2) * width + Math.floor(width / 2);
  const set = (o: number, i: number, value: number): void => {
    data.fill(0, (o * inputs + i) * taps, (o * inputs + i + 1) * taps);
    data[(o * inputs + i) * taps + center] = value;
  };
  const clear = (o: number): void => void data.fill(0, o * inputs * taps, (o + 1) * inputs * taps);
  if (outputs < (place === "last" ? planes : 2 * planes) || inputs < (place === "first" ? planes : 2 * planes)) return;
  for (let half = 0; half < 2 * planes; half++) {
    const [plane, sign] = [Math.floor(half / 2), half % 2 === 0 ? 1 : -1];
    if (place === "last") set(plane, half, sign);
    else {
      clear(half);
      set(half, place === "first" ? plane : half, place === "first" ? sign : 1);
    }
  }
}

/** Draws a parameter's first values from a stream of its own, named by seed and key. */
export function drawParameter(initializer: Initializer, shape: Shape, seed: number, key: string): Tensor {
  const source = random(seed, "parameter", key);
  const size = sizeOf(shape);
  const fill = (draw: () => number): Tensor => tensor(Float32Array.from({ length: size }, draw), shape);
  switch (initializer.kind) {
    case "constant":
      return fill(() => initializer.value);
    case "normal":
      return fill(() => (initializer.mean ?? 0) + initializer.std * source.normal());
    case "uniform":
      return fill(() => initializer.bound * (2 * source.uniform() - 1));
    case "identity": {
      const drawn = drawParameter(initializer.base, shape, seed, key);
      passThrough(drawn.data as Float32Array, shape, initializer.place, initializer.planes);
      return drawn;
    }
    case "icnr": {
      const repeat = initializer.scale ** 2;
      const [filters, ...rest] = shape as readonly [number, ...number[]];
      const small = drawParameter(initializer.base, [filters / repeat, ...rest], seed, key);
      const row = sizeOf(rest);
      const data = new Float32Array(size);
      for (let o = 0; o < filters; o++) {
        const from = Math.floor(o / repeat) * row;
        data.set((small.data as Float32Array).subarray(from, from + row), o * row);
      }
      return tensor(data, shape);
    }
  }
}
