import type { Node } from "../graph/node.ts";
import * as o from "../ops/index.ts";
import { type ImportedNode, isConstant, type Rule } from "./importedNode.ts";

/** The second operand as opsets before 7 broadcast it: its sides lie at `axis` of the first. */
function second(site: ImportedNode): Node {
  const [a, b] = [site.x(0), site.x(1)];
  if (site.opset >= 7 || site.number("broadcast", 0) === 0 || !site.has("axis")) return b;
  const axis = site.axis(site.number("axis", 0), a.shape.length);
  return o.reshape(b, [...b.shape, ...new Array<number>(Math.max(0, a.shape.length - axis - b.shape.length)).fill(1)]);
}

const two =
  (apply: (a: Node, b: Node) => Node): Rule =>
  (site) =>
    apply(site.x(0), second(site));

const one =
  (apply: (x: Node) => Node): Rule =>
  (site) =>
    apply(site.x(0));

const many =
  (apply: (a: Node, b: Node) => Node): Rule =>
  (site) =>
    site.all().reduce(apply);

/** Numbers worked out one by one; only for values that do not depend on the input, there is no op for them. */
const folded =
  (apply: (...values: number[]) => number): Rule =>
  (site) => {
    const operands = site.all();
    const lists = operands.map(({ dtype }, index) => {
      const found = site.numbers(index)!;
      return dtype === "float32" ? found.map(Math.fround) : found; // rounded as every runtime has them
    });
    const widest = operands.reduce((a, b) => (b.shape.length > a.shape.length ? b : a));
    const shape = operands.reduce((a, b) => o.add(a, b), widest).shape; // broadcasts, or says that they do not
    const size = shape.reduce((a, b) => a * b, 1);
    if (lists.some((list) => list.length !== 1 && list.length !== size))
      throw site.fail("expected operands of one shape, or single numbers");
    const data = Array.from({ length: size }, (_, at) =>
      apply(...lists.map((list) => list[list.length === 1 ? 0 : at]!)),
    );
    return o.constant(data, shape, operands[0]!.dtype);
  };

/** a ^ b, the usual exponents written as what is quick and right for a < 0 too. */
const power: Rule = (site) => {
  const [a, b] = [site.x(0), second(site)];
  const exponent = isConstant(b) ? site.numbers(1)! : [];
  if (exponent.length !== 1 || b.shape.length > a.shape.length) return o.pow(a, b);
  if (exponent[0] === 1) return a;
  if (exponent[0] === 2) return o.square(a);
  if (exponent[0] === 3) return o.mul(o.square(a), a);
  return exponent[0] === 0.5 ? o.sqrt(a) : o.pow(a, b);
};

const compare =
  (apply: (a: Node, b: Node) => Node): Rule =>
  (site) =>
    apply(site.x(0), second(site));

const even = (value: number): number => {
  const low = Math.floor(value);
  const rest = value - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
};

export const arithmetic: Readonly<Record<string, Rule>> = {
  Add: two(o.add),
  Sub: two(o.sub),
  Mul: two(o.mul),
  Div: two(o.div),
  Pow: power,
  Max: many(o.maximum),
  Min: many(o.minimum),
  Sum: many(o.add),
  Mean: (site) =>
    o.div(
      site.all().reduce((a, b) => o.add(a, b)),
      site.count,
    ),
  Neg: one(o.neg),
  Abs: one(o.abs),
  Sqrt: one(o.sqrt),
  Exp: one(o.exp),
  Log: one(o.log),
  Sin: one(o.sin),
  Cos: one(o.cos),
  Sign: one(o.sign),
  Reciprocal: one((x) => o.div(1, x)),
  Greater: compare(o.greater),
  Less: compare(o.less),
  GreaterOrEqual: compare(o.greaterEqual),
  LessOrEqual: compare((a, b) => o.greaterEqual(b, a)),
  Equal: compare(o.equal),
  Where: (site) => o.where(site.any(0), site.x(1), site.x(2)),
  Floor: folded(Math.floor),
  Ceil: folded(Math.ceil),
  Round: folded(even),
  Mod: folded((a, b) => a - b! * Math.floor(a / b!)),
  Not: folded((a) => (a ? 0 : 1)),
  And: folded((a, b) => (a && b ? 1 : 0)),
  Or: folded((a, b) => (a || b ? 1 : 0)),
  Affine: (site) => o.add(o.mul(site.x(0), site.number("alpha", 1)), site.number("beta", 0)),
  ImageScaler: (site) => {
    const shift = site.ints("bias") ?? [0];
    return o.add(o.mul(site.x(0), site.number("scale", 1)), o.constant(shift, [shift.length, 1, 1]));
  },
};
