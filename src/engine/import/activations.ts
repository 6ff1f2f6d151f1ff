import type { Node } from "../graph/node.ts";
import * as o from "../ops/index.ts";
import type { ImportedNode, Rule } from "./importedNode.ts";

const one =
  (apply: (x: Node) => Node): Rule =>
  (site) =>
    apply(site.x(0));

function leaky(x: Node, slope: number): Node {
  if (slope >= 0 && slope <= 1) return o.leakyRelu(x, slope);
  return o.where(o.greater(x, 0), x, o.mul(x, slope));
}

/** A slope for each channel (its other sides 1) by the op for it; any other shape broadcast. */
const prelu: Rule = (site) => {
  const [x, slope] = [site.x(0), site.x(1)];
  const count = slope.shape.reduce((a, b) => a * b, 1);
  const channels = x.shape.length - slope.shape.length === 1 ? slope.shape[0] : slope.shape[1];
  const isByChannel =
    count === 1 || (channels === count && x.shape[1] === count && slope.shape.length < x.shape.length + 1);
  if (isByChannel && x.shape.length > 1) return o.prelu(x, o.reshape(slope, [count]));
  return o.where(o.greater(x, 0), x, o.mul(x, slope));
};

const clip: Rule = (site) => {
  const bound = (name: string, index: number, fallback: number): number => {
    const given = site.numbers(index)?.[0] ?? site.number(name, fallback);
    return Number.isFinite(given) ? given : fallback;
  };
  return o.clip(site.x(0), bound("min", 1, -3.4028234e38), bound("max", 2, 3.4028234e38));
};

const hardSigmoid = (x: Node, alpha: number, beta: number): Node => o.clip(o.add(o.mul(x, alpha), beta), 0, 1);

const SELU = [1.6732631921768188, 1.0507010221481323] as const; // α and γ of Klambauer et al., as ONNX rounds them

const gelu: Rule = (site) => {
  const x = site.x(0);
  if (site.text("approximate", "none") === "none") return o.gelu(x);
  const inner = o.mul(Math.sqrt(2 / Math.PI), o.add(x, o.mul(0.044715, o.mul(o.square(x), x))));
  return o.mul(o.mul(x, 0.5), o.add(o.tanh(inner), 1));
};

/** Before opset 13 a softmax goes over all axes from `axis` on. */
function overAxes(site: ImportedNode, apply: (x: Node, axis: number) => Node): Node {
  const x = site.x(0);
  const rank = x.shape.length;
  const axis = site.axis(site.number("axis", site.opset < 13 ? 1 : -1), rank);
  if (site.opset >= 13 || axis === rank - 1) return apply(x, axis);
  const rows = x.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  return o.reshape(apply(o.reshape(x, [rows, -1]), 1), x.shape);
}

export const activations: Readonly<Record<string, Rule>> = {
  Relu: one(o.relu),
  LeakyRelu: (site) => leaky(site.x(0), site.number("alpha", 0.01)),
  PRelu: prelu,
  Elu: (site) => o.elu(site.x(0), site.number("alpha", 1)),
  Selu: (site) => o.mul(o.elu(site.x(0), site.number("alpha", SELU[0])), site.number("gamma", SELU[1])),
  Sigmoid: one(o.sigmoid),
  Tanh: one(o.tanh),
  Softplus: one(o.softplus),
  Softsign: one((x) => o.div(x, o.add(o.abs(x), 1))),
  Erf: one((x) => o.erfOp([x], {})),
  Gelu: gelu,
  Mish: one((x) => o.mul(x, o.tanh(o.softplus(x)))),
  HardSigmoid: (site) => hardSigmoid(site.x(0), site.number("alpha", 0.2), site.number("beta", 0.5)),
  HardSwish: one((x) => o.mul(x, hardSigmoid(x, 1 / 6, 0.5))),
  Clip: clip,
  Softmax: (site) => overAxes(site, o.softmax),
  LogSoftmax: (site) => overAxes(site, o.logSoftmax),
};
