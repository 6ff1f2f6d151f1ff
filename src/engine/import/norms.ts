import type { Node } from "../graph/node.ts";
import * as o from "../ops/index.ts";
import type { ImportedNode, Rule } from "./importedNode.ts";

/** One number per channel as a shape that broadcasts over [N, C, …]. */
const perChannel = (values: Node, rank: number): Node =>
  o.reshape(values, [-1, ...new Array<number>(Math.max(0, rank - 2)).fill(1)]);

/** (x − mean) / √(variance + ε) over the axes. */
function standardize(x: Node, axes: readonly number[], epsilon: number): Node {
  const spread = o.sub(x, o.mean(x, axes, true));
  return o.div(spread, o.sqrt(o.add(o.mean(o.square(spread), axes, true), epsilon)));
}

const epsilonOf = (site: ImportedNode): number => site.number("epsilon", 1e-5);

/** With running statistics it is one scale and one shift for each channel. */
const batchNorm: Rule = (site) => {
  if (site.number("training_mode", 0)) throw site.fail("expected a network made for use, got one in training mode");
  const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((index) => site.x(index)) as [
    Node,
    Node,
    Node,
    Node,
    Node,
  ];
  const gain = o.div(scale, o.sqrt(o.add(variance, epsilonOf(site))));
  const shift = o.sub(bias, o.mul(mean, gain));
  return o.add(o.mul(x, perChannel(gain, x.shape.length)), perChannel(shift, x.shape.length));
};

const affine = (site: ImportedNode, y: Node): Node => {
  const rank = y.shape.length;
  return o.add(o.mul(y, perChannel(site.x(1), rank)), perChannel(site.x(2), rank));
};

const instanceNorm: Rule = (site) => {
  const x = site.x(0);
  return affine(site, standardize(x, [...x.shape.keys()].slice(2), epsilonOf(site)));
};

const groupNorm: Rule = (site) => {
  const x = site.x(0);
  const groups = site.number("num_groups", 1);
  if (x.shape[1]! % groups !== 0) throw site.fail(`expected channels in ${groups} groups, got ${x.shape[1]}`);
  if (site.x(1).shape[0] !== x.shape[1]) throw site.fail("expected a scale for each channel (opset 21)");
  const grouped = o.reshape(x, [x.shape[0]!, groups, -1]);
  return affine(site, o.reshape(standardize(grouped, [2], epsilonOf(site)), x.shape));
};

const layerNorm: Rule = (site) => {
  const x = site.x(0);
  const first = site.axis(site.number("axis", -1), x.shape.length);
  const y = o.mul(standardize(x, [...x.shape.keys()].slice(first), epsilonOf(site)), site.x(1));
  const bias = site.maybe(2);
  return bias ? o.add(y, bias) : y;
};

/** Axes of a reduction: all of them when none are named. */
function axesOf(site: ImportedNode, x: Node): number[] {
  const asked = site.list("axes", 1);
  if (asked?.length) return asked.map((axis) => site.axis(axis, x.shape.length));
  return site.number("noop_with_empty_axes", 0) ? [] : [...x.shape.keys()];
}

const reduction =
  (apply: (x: Node, axes: readonly number[], keep: boolean) => Node): Rule =>
  (site) => {
    const x = site.x(0);
    const axes = axesOf(site, x);
    return axes.length === 0 ? x : apply(x, axes, site.number("keepdims", 1) !== 0);
  };

const product: Rule = (site) => {
  const x = site.x(0);
  const numbers = site.numbers(0)!;
  if (axesOf(site, x).length !== x.shape.length) throw site.fail("expected a product over all axes");
  const keep = site.number("keepdims", 1) !== 0;
  return o.constant([numbers.reduce((a, b) => a * b, 1)], keep ? x.shape.map(() => 1) : [], x.dtype);
};

export const norms: Readonly<Record<string, Rule>> = {
  BatchNormalization: batchNorm,
  InstanceNormalization: instanceNorm,
  GroupNormalization: groupNorm,
  LayerNormalization: layerNorm,
  ReduceMean: reduction(o.mean),
  ReduceSum: reduction(o.sum),
  ReduceMax: reduction(o.max),
  ReduceMin: reduction((x, axes, keep) => o.neg(o.max(o.neg(x), axes, keep))),
  ReduceL1: reduction((x, axes, keep) => o.sum(o.abs(x), axes, keep)),
  ReduceL2: reduction((x, axes, keep) => o.sqrt(o.sum(o.square(x), axes, keep))),
  ReduceSumSquare: reduction((x, axes, keep) => o.sum(o.square(x), axes, keep)),
  ReduceProd: product,
};
