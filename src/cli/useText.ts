import type { Usage } from "../nn/usage.ts";

/** "enlarges ×2, luma": what a model does, in a few words. */
export function useText(usage: Usage): string {
  if (usage.task === "upscale") return `enlarges ×${usage.scale}, ${usage.color === "y" ? "luma" : "RGB"}`;
  const kind = `${usage.channels === 1 ? "gray" : "RGB"} ${usage.size}×${usage.size}`;
  if (usage.task === "reconstruct") return `rebuilds ${kind} from ${usage.latent.join("×")} numbers`;
  if (usage.task === "classify") return `tells ${usage.classes} classes apart, ${kind}`;
  if (usage.task === "discriminate") return `tells real pictures from made ones, ${kind}`;
  if (usage.task === "embed") return `gives ${usage.features} features of pictures, ${kind}`;
  return `makes ${kind}${usage.classes > 0 ? `, ${usage.classes} classes` : ""}`;
}
