import { autoencoder } from "./autoencoder.ts";
import { classifier } from "./classifier.ts";
import { dcgan } from "./dcgan.ts";
import { ddpm } from "./ddpm.ts";
import { cgan, gan } from "./gan.ts";
import { pix2pix } from "./pix2pix.ts";
import type { RecipeDefinition } from "./recipe.ts";
import { srcnn } from "./srcnn.ts";
import { stylegan2 } from "./stylegan2.ts";
import { vae } from "./vae.ts";

export * from "./recipe.ts";
export { autoencoder, cgan, classifier, dcgan, ddpm, gan, pix2pix, srcnn, stylegan2, vae };

/** Every recipe; `imago train` knows them from here. */
export const recipes = [
  srcnn,
  autoencoder,
  vae,
  gan,
  cgan,
  dcgan,
  stylegan2,
  ddpm,
  pix2pix,
  classifier,
] as unknown as readonly RecipeDefinition[];
