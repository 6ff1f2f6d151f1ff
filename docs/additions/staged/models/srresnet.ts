import { z } from "zod";
import { add, depthToSpace, type Node, prelu } from "../engine/index.ts";
import { conv2d } from "../nn/layers.ts";
import { defineModel, type Parameters } from "../nn/model.ts";
import { batchNorm } from "../nn/norms.ts";

/** One learned slope below zero, 0.25 at first. */
const rectified = (x: Node, p: Parameters): Node => prelu(x, p.weight("slope", [1], { kind: "constant", value: 0.25 }));

/** x + BN(conv(PReLU(BN(conv x)))) */
function residual(x: Node, p: Parameters): Node {
  const out = x.shape[1]!;
  const y = rectified(batchNorm(conv2d(x, p("conv1"), { out, kernel: 3 }), p("norm1")), p("rectifier"));
  return add(x, batchNorm(conv2d(y, p("conv2"), { out, kernel: 3 }), p("norm2")));
}

/**
 * SRResNet, the generator of SRGAN: residual blocks on the small picture, then doublings by rearranged pixels. RGB in 0…1.
 * Ledig et al. 2017, https://arxiv.org/abs/1609.04802, section 2.1.1 and figure 4.
 */
export const srresnet = defineModel({
  name: "srresnet",
  summary: "residual blocks, then doublings by rearranged pixels (Ledig et al. 2017)",
  paper: "https://arxiv.org/abs/1609.04802",
  options: z.object({
    scale: z.literal([2, 4]).default(4).describe("how many times wider and taller"),
    width: z.int().min(1).max(512).default(64).describe("channels of every block"),
    blocks: z.int().min(1).max(64).default(16).describe("residual blocks"),
  }),
  input: () => [1, 3, 24, 24],
  build(x, p, { scale, width, blocks }) {
    const head = rectified(conv2d(x, p("head"), { out: width, kernel: 9 }), p("head")); // [N, 64, H, W]
    let y = head;
    for (let at = 0; at < blocks; at++) y = residual(y, p(`body.${at}`));
    y = add(head, batchNorm(conv2d(y, p("join"), { out: width, kernel: 3 }), p("joinNorm"))); // [N, 64, H, W]
    for (let at = 0; at < Math.log2(scale); at++) {
      const here = p(`up.${at}`);
      y = rectified(depthToSpace(conv2d(y, here, { out: 4 * width, kernel: 3 }), 2), here); // [N, 64, 2H, 2W]
    }
    return conv2d(y, p("tail"), { out: 3, kernel: 9 }); // [N, 3, sH, sW]
  },
});
