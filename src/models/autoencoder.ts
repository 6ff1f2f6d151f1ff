import { z } from "zod";
import { type Node, relu, reshape, resize, sigmoid } from "../engine/index.ts";
import { conv2d, linear } from "../nn/layers.ts";
import { defineModel, type Parameters } from "../nn/model.ts";

/** Widths of the hidden layers of the dense form, from the picture towards the code. */
const HIDDEN = [512, 128] as const;
/** Channels of the convolutional form at a half and a quarter of the size. */
const CHANNELS = [32, 64] as const;

/** Sizes shared by the autoencoders. */
export const autoencoderSizes = {
  size: z.int().min(4).max(256).default(28).describe("side of the pictures, in pixels"),
  channels: z.literal([1, 3]).default(1).describe("planes per picture: 1 gray, 3 RGB"),
  latent: z.int().min(1).max(1024).default(32).describe("numbers between the two halves"),
};

export interface HalfOptions {
  readonly form: "linear" | "dense" | "conv";
  readonly size: number;
  readonly channels: number;
}

const areaOf = ({ size, channels }: HalfOptions): number => channels * size * size;

/** The encoder: pictures [N, C, S, S] to `out` numbers each, [N, out]. */
export function encoder(x: Node, p: Parameters, out: number, options: HalfOptions): Node {
  const flat = (y: Node): Node => reshape(y, [x.shape[0]!, -1]);
  if (options.form === "linear") return linear(flat(x), p("code"), { out });
  let y = x;
  if (options.form === "dense") {
    y = flat(x);
    for (const [at, width] of HIDDEN.entries()) y = relu(linear(y, p(`hidden.${at}`), { out: width }));
  } else
    for (const [at, channels] of CHANNELS.entries()) // [N, 32, S/2, S/2], [N, 64, S/4, S/4]
      y = relu(conv2d(y, p(`conv.${at}`), { out: channels, kernel: 3, stride: 2, padding: [1, 1, 1, 1] }));
  return linear(flat(y), p("code"), { out });
}

/** The decoder: codes [N, L] to pictures [N, C, S, S], as they are in the linear form, else logits. */
export function decoder(code: Node, p: Parameters, options: HalfOptions): Node {
  const { form, size, channels } = options;
  const shape = [code.shape[0]!, channels, size, size];
  if (form === "linear") return reshape(linear(code, p("picture"), { out: areaOf(options) }), shape);
  if (form === "dense") {
    let y = code;
    for (const [at, width] of [...HIDDEN].reverse().entries()) y = relu(linear(y, p(`hidden.${at}`), { out: width }));
    return reshape(linear(y, p("picture"), { out: areaOf(options) }), shape);
  }
  const [half, quarter] = [Math.ceil(size / 2), Math.ceil(Math.ceil(size / 2) / 2)];
  const seed = relu(linear(code, p("seed"), { out: CHANNELS[1] * quarter * quarter }));
  let y = reshape(seed, [code.shape[0]!, CHANNELS[1], quarter, quarter]);
  y = relu(conv2d(nearest(y, half), p("conv.0"), { out: CHANNELS[0], kernel: 3 })); // [N, 32, S/2, S/2]
  y = relu(conv2d(nearest(y, size), p("conv.1"), { out: CHANNELS[0] / 2, kernel: 3 }));
  return conv2d(y, p("picture"), { out: channels, kernel: 3 });
}

const nearest = (y: Node, side: number): Node => resize(y, { height: side, width: side }, { mode: "nearest" });

/**
 * The dense form ends in a sigmoid. The convolutional one does not: one bias for all pixels soon drives it to where it
 * is flat.
 */
const ended = (y: Node, { form }: HalfOptions): Node => (form === "dense" ? sigmoid(y) : y);

/**
 * Autoencoders: a picture squeezed into a few numbers and rebuilt from them, in 0…1. The linear form has one layer in
 * each half and no activation, so at best it equals the principal components of the data; the dense and convolutional
 * forms can do better. Hinton & Salakhutdinov 2006, https://doi.org/10.1126/science.1127647.
 */
export const autoencoder = defineModel({
  name: "autoencoder",
  summary: "pictures squeezed into a few numbers and rebuilt (Hinton & Salakhutdinov 2006)",
  paper: "https://doi.org/10.1126/science.1127647",
  options: z.object({
    form: z.enum(["linear", "dense", "conv"]).default("linear").describe("layers of the two halves"),
    ...autoencoderSizes,
  }),
  input: ({ channels, size }) => [1, channels, size, size],
  build(x, p, options) {
    const code = encoder(x, p("encoder"), options.latent, options);
    return ended(decoder(code, p("decoder"), options), options);
  },
  parts: {
    encode: (x, p, options) => encoder(x, p("encoder"), options.latent, options),
    decode: (code, p, options) => ended(decoder(code, p("decoder"), options), options),
  },
});
