import type { z } from "zod";
import type { Node, Optimizer } from "../engine/index.ts";
import type { Network } from "../nn/model.ts";
import type { Schedule } from "../nn/schedules.ts";
import type { Use } from "../nn/use.ts";

/** What a super-resolution recipe learns from: aligned patches of pictures and of their reduced copies. */
export interface PatchData {
  readonly kind: "patches";
  /** How many times smaller the input picture is. */
  readonly scale: number;
  /** Side of the target patch in pixels. */
  readonly patch: number;
  readonly batch: number;
  /** Planes: luma (BT.601 studio range, 0…1) or RGB (0…1). */
  readonly color: "y" | "rgb";
  /** The input at the target's size (bicubic) or at its own. */
  readonly input: "enlarged" | "lr";
}

/** What autoencoders, generators and classifiers learn from: pictures of one size, with their class where they have one. */
export interface ExampleData {
  readonly kind: "examples";
  readonly batch: number;
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** 1 gray, 3 RGB; the batch holds `image` [N, C, size, size] in 0…1. */
  readonly channels: 1 | 3;
  /** Classes that the data must have: the batch holds `label` [N] int64 then; 0 when it does not matter. */
  readonly classes: number;
  /** Mirror half of the pictures. */
  readonly flip: boolean;
}

/** One paper's way of training: networks, losses, data and defaults. Everything is a function of the checked options. */
export interface RecipeDefinition<O extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly summary: string;
  readonly paper: string;
  readonly options: O;
  networks(options: z.infer<O>): Readonly<Record<string, Network>>;
  data(options: z.infer<O>): PatchData | ExampleData;
  /** The network whose weights are the result, and what it does. */
  result(options: z.infer<O>): { readonly network: string; readonly usage: Use };
  /**
   * One scalar per network; the key says whose weights it moves, in this order. Other keys are shown and move nothing.
   * `inputs` are nodes of the batch, by name.
   */
  losses(
    networks: Readonly<Record<string, Network>>,
    inputs: Readonly<Record<string, Node>>,
    options: z.infer<O>,
  ): Readonly<Record<string, Node>>;
  optimizers(options: z.infer<O>): Readonly<Record<string, Optimizer>>;
  schedule(options: z.infer<O>, steps: number): Schedule;
  /** Decay of the moving average of weights at a step; none is kept when absent. */
  emaDecay?(options: z.infer<O>, step: number): number;
  readonly clipNorm?: number;
}

/** Defines a recipe; the schema's types reach every field. */
export const defineRecipe = <O extends z.ZodObject>(definition: RecipeDefinition<O>): RecipeDefinition<O> => definition;
