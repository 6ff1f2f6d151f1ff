// @ts-check
// The networks that the bench times, built from the public vocabulary. peer.py builds the same ones in PyTorch.
import { engine, layers } from "imago";

const { add, depthToSpace, prelu, relu, sigmoid } = engine;
const { conv2d, linear } = layers;

/** @typedef {import("imago").engine.Node} Node */
/** @typedef {import("imago").Parameters} Parameters */
/** @typedef {{ name: string, input: number[], target: number[], build: (x: Node, p: Parameters) => Node }} Workload */

/** Dense autoencoder 784 → 32 → 784. @type {Workload} */
const dense = {
  name: "autoencoder",
  input: [256, 784],
  target: [256, 784],
  build: (x, p) => sigmoid(linear(relu(linear(x, p("encode"), { out: 32 })), p("decode"), { out: 784 })),
};

/** SRCNN 9-5-5 on luma. @type {Workload} */
const srcnn = {
  name: "srcnn",
  input: [16, 1, 96, 96],
  target: [16, 1, 96, 96],
  build(x, p) {
    const extracted = relu(conv2d(x, p("extract"), { out: 64, kernel: 9 }));
    const mapped = relu(conv2d(extracted, p("map"), { out: 32, kernel: 5 }));
    return conv2d(mapped, p("rebuild"), { out: 1, kernel: 5 });
  },
};

/** SRResNet ×4 without batch norm: 16 blocks of 64 channels, two pixel shuffles. Ledig et al. 2017. @type {Workload} */
const srresnet = {
  name: "srresnet",
  input: [16, 3, 24, 24],
  target: [16, 3, 96, 96],
  build(x, p) {
    const slope = (/** @type {Parameters} */ q) => q.weight("slope", [1], { kind: "constant", value: 0.25 });
    const conv = (/** @type {Node} */ y, /** @type {string} */ name, out = 64, kernel = 3) =>
      conv2d(y, p(name), { out, kernel });
    const head = prelu(conv(x, "head", 64, 9), slope(p("head")));
    let y = head;
    for (let block = 0; block < 16; block++) {
      const first = prelu(conv(y, `body.${block}.first`), slope(p(`body.${block}`)));
      y = add(y, conv(first, `body.${block}.second`));
    }
    y = add(head, conv(y, "join"));
    for (const stage of [0, 1]) y = prelu(depthToSpace(conv(y, `up.${stage}`, 256), 2), slope(p(`up.${stage}`)));
    return conv(y, "tail", 3, 9);
  },
};

export const workloads = [dense, srcnn, srresnet];
