import {
  averagePool,
  depthToSpace,
  elu,
  gelu,
  leakyRelu,
  logSoftmax,
  matmul,
  maxPool,
  mul,
  type Node,
  type Optimizer,
  pad,
  prelu,
  relu,
  resize,
  sigmoid,
  silu,
  softmax,
  softplus,
  spaceToDepth,
  type Tensors,
  tanh,
} from "../../src/engine/index.ts";
import { zeros } from "../../src/nn/initializers.ts";
import { conv2d, convTranspose2d, embedding, linear } from "../../src/nn/layers.ts";
import { bceWithLogits, crossEntropy, l1, mse } from "../../src/nn/losses.ts";
import type { Parameters } from "../../src/nn/model.ts";
import { batchNorm, groupNorm, instanceNorm, layerNorm, spectralNorm } from "../../src/nn/norms.ts";
import { adam, adamW, sgd } from "../../src/nn/optimizers.ts";

/** The fed values of a case (x, target, index, …) as nodes; what a layer learns it asks `p` for. */
type Build = (leaves: Readonly<Record<string, Node>>, p: Parameters, stored: Tensors) => Node;
type Numbers = readonly [kernel: number, stride: number, padding: number, dilation: number, groups: number];

const conv =
  (...[kernel, stride, padding, dilation, groups]: Numbers): Build =>
  ({ x }, p, { b }) =>
    conv2d(x!, p, { out: b!.shape[0]!, kernel, stride, padding, dilation, groups });
const transposed =
  (kernel: number, stride: number, padding: number, outputPadding: number): Build =>
  ({ x }, p, { b }) =>
    convTranspose2d(x!, p, { out: b!.shape[0]!, kernel, stride, padding, outputPadding });
const of =
  (f: (x: Node) => Node): Build =>
  ({ x }) =>
    f(x!);
const loss =
  (f: (x: Node, target: Node) => Node): Build =>
  ({ x, target }) =>
    f(x!, target!);
const border = (mode: "reflect" | "edge") =>
  of((x) => pad(x, [[0, 0], [0, 0], [3, 1], [1, 2]], { mode })); // biome-ignore format: one line
const twice = (mode: "nearest" | "linear") =>
  of((x) => resize(x, { height: 2 * x.shape[2]!, width: 2 * x.shape[3]! }, { mode }));
const normalized: Build = ({ x }, p) => batchNorm(x!, p);

/** Every case of layers.safetensors as this library says it. */
export const layers: Readonly<Record<string, Build>> = {
  "conv2d.k3s1p1d1g1": conv(3, 1, 1, 1, 1),
  "conv2d.k4s2p1d1g1": conv(4, 2, 1, 1, 1),
  "conv2d.k3s2p1d1g4": conv(3, 2, 1, 1, 4),
  "conv2d.k3s1p2d2g2": conv(3, 1, 2, 2, 2),
  "conv2d.k1s1p0d1g1": conv(1, 1, 0, 1, 1),
  "conv2d.k9s1p4d1g1": conv(9, 1, 4, 1, 1),
  "convTranspose2d.k4s2p1o0": transposed(4, 2, 1, 0),
  "convTranspose2d.k3s2p1o1": transposed(3, 2, 1, 1),
  "convTranspose2d.k3s1p1o0": transposed(3, 1, 1, 0),
  linear: ({ x }, p, { b }) => linear(x!, p, { out: b!.shape[0]! }),
  "batchNorm.train": normalized,
  "batchNorm.running": normalized,
  "batchNorm.eval": normalized,
  instanceNorm: ({ x }, p) => instanceNorm(x!, p, { affine: true }),
  "groupNorm.2": ({ x }, p) => groupNorm(x!, p, { groups: 2 }),
  layerNorm: ({ x }, p) => layerNorm(x!, p),
  relu: of(relu),
  "leakyRelu.0.2": of((x) => leakyRelu(x, 0.2)),
  elu: of((x) => elu(x)),
  gelu: of(gelu),
  silu: of(silu),
  softplus: of(softplus),
  sigmoid: of(sigmoid),
  tanh: of(tanh),
  softmax: of((x) => softmax(x)),
  logSoftmax: of((x) => logSoftmax(x)),
  prelu: ({ x }, p) => prelu(x!, p.weight("weight", [x!.shape[1]!], zeros)),
  "pixelShuffle.2": of((x) => depthToSpace(x, 2)),
  "pixelUnshuffle.2": of((x) => spaceToDepth(x, 2)),
  "maxPool.k2s2": of((x) => maxPool(x, { kernel: 2 })),
  "maxPool.k3s2p1": of((x) => maxPool(x, { kernel: 3, stride: 2, padding: 1 })),
  "avgPool.k2s2": of((x) => averagePool(x, { kernel: 2 })),
  "avgPool.k3s2p1": of((x) => averagePool(x, { kernel: 3, stride: 2, padding: 1 })),
  "upsample.nearest2": twice("nearest"),
  "upsample.bilinear2": twice("linear"),
  "pad.reflect": border("reflect"),
  "pad.edge": border("edge"),
  embedding: ({ index }, p) => embedding(index!, p, { count: 5, width: 3 }),
  crossEntropy: loss(crossEntropy),
  mse: loss(mse),
  l1: loss(l1),
  bceWithLogits: loss(bceWithLogits),
  "spectralNorm.matrix": (_, p, { w }) => spectralNorm(p.weight("weight", w!.shape, zeros), p),
  attention: ({ q, k, v }) => matmul(softmax(mul(matmul(q!, k!, { transposeB: true }), 1 / Math.sqrt(8))), v!),
};

/** Every trajectory of optimizers.safetensors: the optimizer and its learning rate. */
export const optimizers: Readonly<Record<string, readonly [Optimizer, number]>> = {
  "sgd.lr0.1": [sgd(), 0.1],
  "sgd.lr0.1.momentum0.9": [sgd({ momentum: 0.9 }), 0.1],
  "sgd.lr0.1.momentum0.9.nesterov.decay0.01": [sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.01 }), 0.1],
  "adam.lr0.01": [adam(), 0.01],
  "adam.lr0.01.betas0.5,0.999": [adam({ beta1: 0.5 }), 0.01],
  "adamw.lr0.01.decay0.1": [adamW({ weightDecay: 0.1 }), 0.01],
};
