import { type DType, type Shape, sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { Node } from "../graph/node.ts";
import { dtypeOf } from "../onnx/readTensor.ts";
import * as o from "../ops/index.ts";
import { broadcastShape } from "../ops/ndarray.ts";
import { FOLDED, type ImportedNode, isConstant, numbersOf, type Rule } from "./importedNode.ts";

const whole = (values: readonly number[]): Node => o.constant(values, [values.length], "int64");

/** Is it a shape that may be asked for? */
function checked(site: ImportedNode, shape: Shape): Shape {
  if (shape.length > 16 || !shape.every((side) => Number.isInteger(side) && side >= 0 && side < 2 ** 31))
    throw site.fail(`expected a shape, got [${shape.slice(0, 16).join(", ")}]`);
  return shape;
}

const reshape: Rule = (site) => {
  const x = site.any(0);
  const asked = site.list("shape", 1);
  if (!asked) throw site.fail("expected a shape, got none");
  const sides = asked.map((side, axis) => (side === 0 && !site.number("allowzero", 0) ? (x.shape[axis] ?? 0) : side));
  const free = sides.indexOf(-1);
  const rest = sides.reduce((product, side) => (side === -1 ? product : product * side), 1);
  const full = free < 0 ? sides : sides.with(free, sizeOf(x.shape) / rest);
  if (sizeOf(checked(site, full)) !== sizeOf(x.shape))
    throw site.fail(
      `expected a shape for the elements of [${x.shape.join(", ")}], got [${asked.join(", ")}]`,
      "The file may hold shapes for one size of picture only.",
    );
  return o.reshape(x, full);
};

const flatten: Rule = (site) => {
  const x = site.any(0);
  const axis = site.number("axis", 1);
  const place = axis < 0 ? axis + x.shape.length : axis;
  return o.reshape(x, [sizeOf(x.shape.slice(0, place)), sizeOf(x.shape.slice(place))]);
};

const squeeze: Rule = (site) => {
  const x = site.any(0);
  const axes = site.list("axes", 1)?.map((axis) => site.axis(axis, x.shape.length));
  return o.reshape(
    x,
    x.shape.filter((side, axis) => (axes ? !axes.includes(axis) : side !== 1)),
  );
};

const unsqueeze: Rule = (site) => {
  const x = site.any(0);
  const asked = site.list("axes", 1) ?? [];
  const rank = x.shape.length + asked.length;
  if (rank > 16) throw site.fail(`expected at most 16 axes, got ${rank}`);
  const axes = asked.map((axis) => site.axis(axis, rank));
  const sides = [...x.shape];
  return o.reshape(
    x,
    Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : (sides.shift() ?? 1))),
  );
};

const transpose: Rule = (site) => {
  const x = site.any(0);
  return o.transpose(x, site.ints("perm") ?? [...x.shape.keys()].reverse());
};

/** One axis of a slice; a negative step takes the elements backwards. */
function cut(site: ImportedNode, x: Node, axis: number, [start, end, step]: readonly [number, number, number]): Node {
  const side = x.shape[axis]!;
  const clamp = (value: number, low: number, high: number): number =>
    Math.min(Math.max(value < 0 ? value + side : value, low), high);
  const at = (value: number): number[] => x.shape.map(() => 0).with(axis, value);
  const to = (value: number): number[] => x.shape.map((_, k) => (k === axis ? value : x.shape[k]!));
  const steps = x.shape.map(() => 1).with(axis, Math.abs(step));
  if (!Number.isInteger(step) || step === 0) throw site.fail(`expected a step, got ${step}`);
  const forward = step > 0;
  const [first, last] = forward
    ? [clamp(start, 0, side), clamp(end, 0, side)]
    : [clamp(end, -1, side - 1) + 1, clamp(start, -1, side - 1) + 1];
  if (last <= first && isConstant(x)) return o.constant([], x.shape.with(axis, 0), x.dtype);
  const piece = o.slice(x, at(first), to(last));
  const turned = forward ? piece : o.flip(piece, [axis]);
  return Math.abs(step) === 1 ? turned : o.slice(turned, at(0), turned.shape, steps);
}

const slice: Rule = (site) => {
  const x = site.any(0);
  const starts = site.list("starts", 1);
  const ends = site.list("ends", 2);
  if (!starts || !ends || starts.length !== ends.length) throw site.fail("expected as many starts as ends");
  const axes = site.list("axes", 3) ?? starts.map((_, axis) => axis);
  const steps = site.numbers(4) ?? starts.map(() => 1);
  return axes.reduce(
    (y, axis, k) => cut(site, y, site.axis(axis, x.shape.length), [starts[k] ?? 0, ends[k] ?? 0, steps[k] ?? 1]),
    x,
  );
};

/** Sides of the parts along an axis. */
function parts(site: ImportedNode, side: number): readonly number[] {
  const given = site.list("split", 1);
  if (given) return given;
  const count = site.number("num_outputs", site.file.outputs.length);
  if (!(count >= 1 && count <= site.file.outputs.length)) throw site.fail(`expected as many outputs, got ${count}`);
  const each = Math.ceil(side / count);
  return Array.from({ length: count }, (_, part) => Math.min(each, side - part * each));
}

const split: Rule = (site) => {
  const x = site.any(0);
  const axis = site.axis(site.number("axis", 0), x.shape.length);
  let start = 0;
  return parts(site, x.shape[axis]!).map((side) => {
    const from = start;
    start += side;
    return o.slice(x, x.shape.map(() => 0).with(axis, from), x.shape.with(axis, start));
  });
};

const concat: Rule = (site) => {
  const all = Array.from({ length: site.count }, (_, index) => site.any(index));
  const full = all.filter(({ shape }) => sizeOf(shape) > 0);
  return full.length === 0 ? all[0]! : o.concat(full, site.axis(site.number("axis", 1), full[0]!.shape.length));
};

const gather: Rule = (site) => {
  const [x, index] = [site.any(0), site.any(1)];
  const axis = site.axis(site.number("axis", 0), x.shape.length);
  if (!isConstant(index)) return o.gather(x, index, axis);
  const side = x.shape[axis]!;
  const places = site.numbers(1)!.map((place) => (place < 0 ? place + side : place));
  if (places.some((place) => !(place >= 0 && place < side))) throw site.fail(`expected indices below ${side}`);
  return o.gather(x, o.constant(places, index.shape, "int64"), axis);
};

const expand: Rule = (site) => {
  const x = site.any(0);
  const shape = broadcastShape([x.shape, checked(site, site.numbers(1) ?? [])]);
  if (!shape) throw site.fail(`expected a shape that [${x.shape.join(", ")}] fills`);
  return o.expand(x, shape);
};

const tile: Rule = (site) => {
  const x = site.any(0);
  const repeats = checked(site, site.numbers(1) ?? []);
  return repeats.reduce((y, count, axis) => {
    if (count === 1) return y;
    const [before, after] = [y.shape.slice(0, axis), y.shape.slice(axis)];
    const wide = o.expand(o.reshape(y, [...before, 1, ...after]), [...before, count, ...after]);
    return o.reshape(wide, y.shape.with(axis, y.shape[axis]! * count));
  }, x);
};

/** The numbers of a file as a constant of the graph. */
export const constantOf = ({ data, shape, dtype }: Tensor): Node =>
  o.constant(data instanceof BigInt64Array ? Float64Array.from(data, Number) : data, shape, dtype);

/** A constant of the file itself. */
const constant: Rule = (site) => {
  const value = site.tensor("value");
  if (value) return constantOf(value);
  if (site.has("value_float")) return o.constant([site.number("value_float", 0)]);
  if (site.has("value_int")) return o.constant([site.number("value_int", 0)], [], "int64");
  const [floats, ints] = [site.ints("value_floats"), site.ints("value_ints")];
  if (!floats && !ints) throw site.fail("expected numbers, got another kind of constant");
  return floats ? o.constant(floats, [floats.length]) : whole(ints!);
};

const constantOfShape: Rule = (site) => {
  const value = site.tensor("value");
  const number = value ? Number(value.data[0] ?? 0) : 0;
  return o.constant([number], checked(site, site.numbers(0) ?? []), value?.dtype ?? "float32");
};

const shape: Rule = (site) => {
  const sides = site.any(0).shape;
  return whole(sides.slice(site.number("start", 0), site.has("end") ? site.number("end", 0) : undefined));
};

const range: Rule = (site) => {
  const [start, limit, step] = [0, 1, 2].map((index) => site.numbers(index)?.[0] ?? 0) as [number, number, number];
  const length = Math.max(0, Math.ceil((limit - start) / step));
  if (!(length <= FOLDED)) throw site.fail(`expected a range of at most ${FOLDED} numbers, got ${length}`);
  return o.constant(
    Array.from({ length }, (_, at) => start + at * step),
    [length],
    site.any(0).dtype,
  );
};

/** Between floats nothing changes here: all are float32. */
const cast: Rule = (site) => {
  const x = site.any(0);
  const to: DType | undefined = dtypeOf(site.number("to", 0));
  if (!to) throw site.fail(`expected a number type, got ${site.number("to", 0)}`);
  if (x.dtype === to) return x;
  const known = numbersOf(x, site.around);
  if (known) return o.constant(convert(known, to), x.shape, to);
  if (to === "float32" && x.dtype === "bool") return o.toFloat(x);
  throw site.fail(`expected a cast between floats, got one from ${x.dtype} to ${to}`);
};

const convert = (data: Float64Array, to: DType): Float64Array => {
  if (to === "float32") return data;
  return data.map((value) => (to === "bool" ? Number(value !== 0) : Math.trunc(value)));
};

export const shapes: Readonly<Record<string, Rule>> = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Slice: slice,
  Split: split,
  Concat: concat,
  Gather: gather,
  Expand: expand,
  Tile: tile,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Shape: shape,
  Size: (site) => o.constant([sizeOf(site.any(0).shape)], [], "int64"),
  Range: range,
  Cast: cast,
  Identity: (site) => site.any(0),
  Dropout: (site) => site.any(0),
};
