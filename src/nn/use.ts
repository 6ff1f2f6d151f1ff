import { z } from "zod";

/**
 * What networks of one kind are for. Its facts are written beside the weights: enough to run a network without its
 * recipe.
 */
export interface UseDefinition<F extends z.ZodObject = z.ZodObject> {
  readonly facts: F;
  /** What every network of this use does, for messages: "enlarges pictures". */
  readonly does: string;
}

const defineUse = <F extends z.ZodObject>(definition: UseDefinition<F>): UseDefinition<F> => definition;

const side = z.int().min(1).max(1024);
const channels = z.literal([1, 3]).describe("1 gray, 3 RGB; samples are 0…1");
const square = { size: side.describe("side of the pictures, in pixels"), channels };
const word = z.string().min(1).max(40);

/**
 * Every use, a row each. useText.ts has the words for one network, tasks/uses.ts the work: how training is watched and
 * how a model is judged.
 */
export const uses = {
  upscale: defineUse({
    facts: z.object({
      scale: z.int().min(1).max(16),
      color: z.enum(["y", "rgb"]).describe("planes: luma (BT.601 studio range, 0…1) or RGB (0…1)"),
      input: z.enum(["enlarged", "lr"]).describe("the input at the target's size (bicubic) or at its own"),
    }),
    does: "enlarges pictures",
  }),
  reconstruct: defineUse({
    facts: z.object({
      ...square,
      latent: z
        .array(side)
        .min(1)
        .max(3)
        .readonly()
        .describe("shape of a code, without the batch: the part encode makes it, the part decode takes it"),
    }),
    does: "rebuilds pictures",
  }),
  generate: defineUse({
    facts: z.object({
      ...square,
      latent: z.int().min(1).max(1_048_576).describe("numbers of a code [N, latent], N(0, 1)"),
      classes: z.int().min(0).max(1000).describe("classes that the input label [N] int64 names; 0 for none"),
      styles: side
        .optional()
        .describe("styles [N, styles, latent] that the part styles makes and the part picture takes"),
      diffusion: z
        .literal("noise")
        .optional()
        .describe("finds the noise in pictures at a time 0…1000, the input time: a sampler makes pictures with it"),
    }),
    does: "makes pictures",
  }),
  classify: defineUse({
    facts: z.object({
      ...square,
      classes: z.int().min(2).max(1000).describe("logits [N, classes]; the part features gives what judges compare"),
    }),
    does: "tells classes apart",
  }),
  /** Raw scores [N, 1], above zero for real pictures. */
  discriminate: defineUse({
    facts: z.object(square),
    does: "tells real pictures from made ones",
  }),
  embed: defineUse({
    facts: z.object({
      ...square,
      features: z.int().min(1).describe("numbers a picture: distances between sets of pictures are measured on them"),
    }),
    does: "gives features of pictures",
  }),
  translate: defineUse({
    facts: z.object({
      from: word.describe("what goes in, in a word or two: edges, horses"),
      to: word.describe("what comes out: shoes, zebras"),
      channels,
      size: side.optional().describe("side of the pictures, in pixels; absent where any will do"),
      pairs: z.enum(["ab", "ba"]).optional().describe("half of a paired set that goes in: ab the first one"),
    }),
    does: "turns pictures into others",
  }),
} as const;

export type UseName = keyof typeof uses;

/** What a network does, with the facts of its use. */
export type Use = {
  [T in UseName]: { readonly task: T } & Readonly<z.output<(typeof uses)[T]["facts"]>>;
}[UseName];
export type UseOf<T extends UseName> = Extract<Use, { readonly task: T }>;

/** What a model's file says of its use; `task` names the row. */
export const useSchema = z.discriminatedUnion(
  "task",
  Object.entries(uses).map(([task, { facts }]) => z.object({ task: z.literal(task), ...facts.shape })) as never,
) as unknown as z.ZodType<Use>;

/** The use that a value from a file describes; undefined when it is none. */
export const useIn = (value: unknown): Use | undefined => useSchema.safeParse(value).data;
