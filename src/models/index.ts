import type { ModelDefinition } from "../nn/model.ts";
import { autoencoder } from "./autoencoder.ts";
import { classifier } from "./classifier.ts";
import { dcganDiscriminator, dcganGenerator } from "./dcgan.ts";
import { diffusionUnet } from "./diffusionUnet.ts";
import { ganDiscriminator, ganGenerator } from "./gan.ts";
import { inception } from "./inception.ts";
import { lenet } from "./lenet.ts";
import { patchGan } from "./patchGan.ts";
import { srcnn } from "./srcnn.ts";
import { stylegan2Discriminator, stylegan2Generator } from "./stylegan2.ts";
import { unet } from "./unet.ts";
import { vae } from "./vae.ts";

export {
  autoencoder,
  classifier,
  dcganDiscriminator,
  dcganGenerator,
  diffusionUnet,
  ganDiscriminator,
  ganGenerator,
  inception,
  lenet,
  patchGan,
  srcnn,
  stylegan2Discriminator,
  stylegan2Generator,
  unet,
  vae,
};

/** Every network family; files name their model from here. */
export const models = [
  srcnn,
  autoencoder,
  vae,
  ganGenerator,
  ganDiscriminator,
  dcganGenerator,
  dcganDiscriminator,
  stylegan2Generator,
  stylegan2Discriminator,
  unet,
  patchGan,
  diffusionUnet,
  classifier,
  lenet,
  inception,
] as unknown as readonly ModelDefinition[];
