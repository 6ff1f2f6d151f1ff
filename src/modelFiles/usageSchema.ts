import { z } from "zod";
import type { Task } from "../nn/usage.ts";

const side = z.int().min(1).max(1024);
const square = { size: side, channels: z.literal([1, 3]) };
/** What a model's file says of its use. */
export const usageSchema = z.discriminatedUnion("task", [
  z.object({
    task: z.literal("upscale"),
    scale: z.int().min(1).max(16),
    color: z.enum(["y", "rgb"]),
    input: z.enum(["enlarged", "lr"]),
  }),
  z.object({ task: z.literal("reconstruct"), ...square, latent: z.array(side).min(1).max(3) }),
  z.object({
    task: z.literal("generate"),
    ...square,
    latent: side,
    classes: z.int().min(0).max(1000),
    styles: side.optional(),
  }),
  z.object({ task: z.literal("classify"), ...square, classes: z.int().min(2).max(1000) }),
  z.object({ task: z.literal("discriminate"), ...square }),
  z.object({ task: z.literal("embed"), ...square, features: z.int().min(1) }),
]);

/** What a model of each task does, for messages. */
export const verbs: Readonly<Record<Task, string>> = {
  upscale: "enlarges pictures",
  reconstruct: "rebuilds pictures",
  generate: "makes pictures",
  classify: "tells classes apart",
  discriminate: "tells real pictures from made ones",
  embed: "gives features of pictures",
};
