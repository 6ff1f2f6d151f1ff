/** Enlarges pictures. */
export interface UpscaleUsage {
  readonly task: "upscale";
  readonly scale: number;
  /** Planes: luma (BT.601 studio range, 0…1) or RGB (0…1). */
  readonly color: "y" | "rgb";
  /** The input at the target's size (bicubic) or at its own. */
  readonly input: "enlarged" | "lr";
}

/** Pictures of one size. */
interface Square {
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** 1 gray, 3 RGB; samples are 0…1. */
  readonly channels: 1 | 3;
}

/** Squeezes pictures into a few numbers (part "encode") and rebuilds them (part "decode"). */
export interface ReconstructUsage extends Square {
  readonly task: "reconstruct";
  /** Shape of the numbers between, without the batch. */
  readonly latent: readonly number[];
}

/** Makes pictures from noise [N, latent], N(0, 1). */
export interface GenerateUsage extends Square {
  readonly task: "generate";
  readonly latent: number;
  /** How many classes it takes as the input "label" [N] int64; 0 for none. */
  readonly classes: number;
  /**
   * How many styles [N, styles, latent] the part "styles" makes and the part "picture" takes; such a generator has the input
   * "truncation" [N] as well. Absent where there are none.
   */
  readonly styles?: number;
}

/** Tells classes apart: [N, C, size, size] to logits [N, classes]; the part "features" gives what judges compare. */
export interface ClassifyUsage extends Square {
  readonly task: "classify";
  readonly classes: number;
}

/** Tells real pictures from made ones: [N, C, size, size] to raw scores [N, 1], above zero for real. */
export interface DiscriminateUsage extends Square {
  readonly task: "discriminate";
}

/** Sums pictures up: [N, C, size, size] to [N, features], what distances between sets of pictures are measured on. */
export interface EmbedUsage extends Square {
  readonly task: "embed";
  readonly features: number;
}

/** What a network does, written beside its weights: enough to run it without knowing the recipe. */
export type Usage = UpscaleUsage | ReconstructUsage | GenerateUsage | ClassifyUsage | DiscriminateUsage | EmbedUsage;
export type Task = Usage["task"];
export type UsageOf<T extends Task> = Extract<Usage, { readonly task: T }>;
