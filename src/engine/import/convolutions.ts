import type { Node } from "../graph/node.ts";
import * as o from "../ops/index.ts";
import type { ImportedNode, Rule, TransposedReach } from "./importedNode.ts";
import { dealt, padsOf, pair, windowOf } from "./window.ts";

const sizeOf = ({ shape }: Node): [number, number] => [shape[2]!, shape[3]!];

/** The picture and the weight of a convolution. */
function operands(site: ImportedNode): [Node, Node] {
  const [x, w] = [site.x(0), site.x(1)];
  if (x.shape.length !== 4 || w.shape.length !== 4)
    throw site.fail(
      `expected a picture [N, C, H, W], got [${x.shape.join(", ")}] and a weight [${w.shape.join(", ")}]`,
    );
  return [x, w];
}

const convolution: Rule = (site) => {
  const [x, w] = operands(site);
  const { stride, dilation, pads } = windowOf(site, sizeOf(x), sizeOf(w));
  const groups = site.number("group", 1);
  return o.conv2d(x, w, { stride, dilation, padding: pads, groups, bias: site.maybe(2) });
};

/** The reach that gives an output of `wanted` pixels, where `natural` is the size without any padding. */
function reachOf(
  natural: readonly number[],
  wanted: readonly number[],
  extra: readonly number[],
  upper: boolean,
): TransposedReach {
  const total = natural.map((side, axis) => Math.max(0, side + extra[axis]! - wanted[axis]!)) as [number, number];
  const added = natural.map((side, axis) => wanted[axis]! - side + total[axis]!) as [number, number];
  return { pads: dealt(total, upper), extra: added };
}

/** Where the output of a transposed convolution begins and ends at the size of its input. */
export function transposedReach(site: ImportedNode): TransposedReach {
  const [x, w] = operands(site);
  const [stride, dilation, kernel] = [pair(site, "strides", 1), pair(site, "dilations", 1), sizeOf(w)];
  const extra = pair(site, "output_padding", 0, 0);
  const natural = sizeOf(x).map((side, axis) => (side - 1) * stride[axis]! + dilation[axis]! * (kernel[axis]! - 1) + 1);
  const auto = site.text("auto_pad", "NOTSET");
  const asked = site.ints("output_shape")?.slice(-2);
  if (asked) return reachOf(natural, asked, extra, auto === "SAME_UPPER");
  if (auto === "SAME_UPPER" || auto === "SAME_LOWER") {
    const wanted = sizeOf(x).map((side, axis) => side * stride[axis]!);
    return reachOf(natural, wanted, extra, auto === "SAME_UPPER");
  }
  return { pads: auto === "VALID" ? [0, 0, 0, 0] : padsOf(site), extra };
}

const convolutionTransposed: Rule = (site) => {
  const [x, w] = operands(site);
  const reach = site.around.reaches.get(site.file.outputs[0] ?? "") ?? transposedReach(site);
  return o.convTranspose2d(x, w, {
    stride: pair(site, "strides", 1),
    dilation: pair(site, "dilations", 1),
    padding: reach.pads,
    outputPadding: reach.extra,
    groups: site.number("group", 1),
    bias: site.maybe(2),
  });
};

const gemm: Rule = (site) => {
  const [alpha, beta] = [site.number("alpha", 1), site.number("beta", 1)];
  const turned = { transposeA: site.number("transA", 0) !== 0, transposeB: site.number("transB", 0) !== 0 };
  const [a, b, c] = [site.x(0), site.x(1), site.maybe(2)];
  if (c?.shape.length === 1 && alpha === 1 && beta === 1) return o.matmul(a, b, { ...turned, bias: c });
  const product = o.matmul(a, b, turned);
  const scaled = alpha === 1 ? product : o.mul(product, alpha);
  return c ? o.add(scaled, beta === 1 ? c : o.mul(c, beta)) : scaled;
};

/** A vector counts as a row on the left and as a column on the right. */
const matmul: Rule = (site) => {
  const [a, b] = [site.x(0), site.x(1)];
  const [row, column] = [a.shape.length === 1, b.shape.length === 1];
  const y = o.matmul(row ? o.reshape(a, [1, -1]) : a, column ? o.reshape(b, [-1, 1]) : b);
  const left = row ? y.shape.toSpliced(-2, 1) : y.shape;
  return o.reshape(y, column ? left.slice(0, -1) : left);
};

export const convolutions: Readonly<Record<string, Rule>> = {
  Conv: convolution,
  ConvTranspose: convolutionTransposed,
  Gemm: gemm,
  MatMul: matmul,
};
