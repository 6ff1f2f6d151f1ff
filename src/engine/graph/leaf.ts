import type { DType, Shape } from "../../tensor/tensor.ts";

/** What a leaf is filled with when nobody feeds it: numbers of the step's seeded generator. */
export type Noise = "normal" | "uniform";

export interface InputAttributes {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly noise?: Noise;
}

/** How the first values of a parameter are drawn, in plain data. `fan` is the number of inputs that one output sums. */
export type Initializer =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "normal"; readonly std: number; readonly mean?: number }
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "icnr"; readonly scale: number; readonly base: Initializer }
  | {
      readonly kind: "identity";
      readonly place: "first" | "between" | "last";
      readonly planes: number;
      readonly base: Initializer;
    };

export interface ParameterAttributes {
  /** Dotted name inside its network, "body.3.conv.weight". */
  readonly name: string;
  /** The network that owns it; losses move the weights of whole networks. */
  readonly network: string;
  readonly shape: Shape;
  readonly initializer: Initializer;
  /** False for running statistics: kept and saved, but moved by no optimizer. */
  readonly trainable: boolean;
}

export interface ConstantAttributes {
  /** All elements, or one number for every element. */
  readonly data: ArrayLike<number>;
  readonly shape: Shape;
  readonly dtype: DType;
}
