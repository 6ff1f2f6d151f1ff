import { mul, type Node } from "../engine/index.ts";
import { mse } from "./losses.ts";
import type { Network } from "./model.ts";

/** By which SRGAN divides the maps of VGG, so that their distance is of the size of one of pixels. */
const DIVISOR = 12.75;

/**
 * The distance of two pictures as a network sees them: the mean squared error of its maps.
 * Johnson et al. 2016, https://arxiv.org/abs/1603.08155, equation 2; scaled as in Ledig et al. 2017, section 3.2.
 * @param features a frozen network with the part "maps"     @param x [N, 3, H, W] in 0…1, as is `target`
 */
export const perceptual = (features: Network, x: Node, target: Node): Node =>
  mul(mse(features.part("maps", x), features.part("maps", target)), DIVISOR ** -2);
