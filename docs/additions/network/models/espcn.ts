import { z } from "zod";
import { depthToSpace, tanh } from "../engine/index.ts";
import { conv2d } from "../nn/layers.ts";
import { defineModel } from "../nn/model.ts";

/**
 * ESPCN: three convolutions on the small picture, of which the last makes all pixels of the large one.
 * Shi et al., "Real-Time Single Image and Video Super-Resolution …", https://arxiv.org/abs/1609.05158, section 3.
 * Differs from the paper: pictures are padded, so the output is exactly `scale` times as large.
 */
export const espcn = defineModel({
  name: "espcn",
  summary: "three convolutions on the small picture, pixels rearranged at the end (Shi et al. 2016)",
  paper: "https://arxiv.org/abs/1609.05158",
  options: z.object({
    scale: z.literal([2, 3, 4]).default(2).describe("how many times wider and taller"),
    features: z.int().min(2).max(512).default(64).describe("filters of the first layer; the second has half"),
  }),
  input: () => [1, 1, 24, 24],
  build(x, p, { scale, features }) {
    x = tanh(conv2d(x, p("first"), { out: features, kernel: 5 })); // [N, 64, H, W]
    x = tanh(conv2d(x, p("second"), { out: features >> 1, kernel: 3 })); // [N, 32, H, W]
    x = conv2d(x, p("last"), { out: scale ** 2, kernel: 3 }); // [N, s², H, W]
    return depthToSpace(x, scale); // [N, 1, sH, sW]
  },
});
