import { add, depthToSpace, type Node, prelu, relu, sigmoid } from "../engine/index.ts";
import { conv2d, linear } from "../nn/layers.ts";
import type { Parameters } from "../nn/model.ts";
import type { Shape } from "../tensor/tensor.ts";

/** A network that benches time, with the shapes of its batch. bench/peer.py builds the same ones in PyTorch. */
export interface Workload {
  readonly name: string;
  readonly summary: string;
  readonly input: Shape;
  readonly target: Shape;
  build(x: Node, p: Parameters): Node;
}

const autoencoder: Workload = {
  name: "autoencoder",
  summary: "dense autoencoder 784-32-784, batch 256",
  input: [256, 784],
  target: [256, 784],
  build: (x, p) => sigmoid(linear(relu(linear(x, p("encode"), { out: 32 })), p("decode"), { out: 784 })),
};

const srcnn: Workload = {
  name: "srcnn",
  summary: "SRCNN 9-5-5 on luma, 16 patches of 96×96",
  input: [16, 1, 96, 96],
  target: [16, 1, 96, 96],
  build(x, p) {
    const extracted = relu(conv2d(x, p("extract"), { out: 64, kernel: 9 }));
    const mapped = relu(conv2d(extracted, p("map"), { out: 32, kernel: 5 }));
    return conv2d(mapped, p("rebuild"), { out: 1, kernel: 5 });
  },
};

/** Ledig et al. 2017, https://arxiv.org/abs/1609.04802, without batch norm and with one slope per PReLU. */
const srresnet: Workload = {
  name: "srresnet",
  summary: "SRResNet ×4, 16 blocks of 64 channels, 16 patches of 24×24",
  input: [16, 3, 24, 24],
  target: [16, 3, 96, 96],
  build(x, p) {
    const conv = (y: Node, name: string, out = 64, kernel = 3): Node => conv2d(y, p(name), { out, kernel });
    const rectify = (y: Node, name: string): Node =>
      prelu(y, p(name).weight("slope", [1], { kind: "constant", value: 0.25 }));
    const head = rectify(conv(x, "head", 64, 9), "head"); // [N, 64, 24, 24]
    let y = head;
    for (let block = 0; block < 16; block++) {
      const first = rectify(conv(y, `body.${block}.first`), `body.${block}`);
      y = add(y, conv(first, `body.${block}.second`));
    }
    y = add(head, conv(y, "join"));
    for (const stage of ["up.0", "up.1"]) y = rectify(depthToSpace(conv(y, stage, 256), 2), stage); // 48², 96²
    return conv(y, "tail", 3, 9); // [N, 3, 96, 96]
  },
};

/** What is left of a step when there is nothing to compute. */
const tiny: Workload = {
  name: "tiny",
  summary: "a 4×4 matrix, batch 1: the overhead of a step",
  input: [1, 4],
  target: [1, 4],
  build: (x, p) => linear(x, p("only"), { out: 4 }),
};

export const workloads: readonly Workload[] = [autoencoder, srcnn, srresnet, tiny];
