import type { Node } from "../graph/node.ts";
import * as o from "../ops/index.ts";
import type { ImportedNode, Rule } from "./importedNode.ts";
import { type Axis, interpolation, nearest, type Sampling } from "./interpolation.ts";

const MATRIX = 2 ** 26; // the most numbers of an interpolation matrix

function samplingOf(site: ImportedNode): Sampling {
  const old = site.file.op === "Upsample" || site.opset < 11;
  const mode = site.text("mode", "nearest");
  return {
    mode: mode === "bilinear" ? "linear" : mode,
    coordinates: old ? "asymmetric" : site.text("coordinate_transformation_mode", "half_pixel"),
    rounding: old ? "floor" : site.text("nearest_mode", "round_prefer_floor"),
    a: site.number("cubic_coeff_a", -0.75),
    excludeOutside: site.number("exclude_outside", 0) !== 0,
    antialias: site.number("antialias", 0) !== 0,
  };
}

/** Scales and sizes for the axes that a resize names. */
function askedOf(site: ImportedNode): { scales: readonly number[] | undefined; sizes: readonly number[] | undefined } {
  if (site.file.op === "Upsample" || site.opset < 11) {
    const high = site.number("height_scale", 1);
    return { scales: site.list("scales", 1) ?? [1, 1, high, site.number("width_scale", 1)], sizes: undefined };
  }
  const [scales, sizes] = [site.numbers(2), site.numbers(3)];
  return { scales: scales?.length ? scales : undefined, sizes: sizes?.length ? sizes : undefined };
}

function axesOf(site: ImportedNode, x: Node): Axis[] {
  const { scales, sizes } = askedOf(site);
  const named = site.ints("axes")?.map((axis) => site.axis(axis, x.shape.length)) ?? [...x.shape.keys()];
  const asked = sizes ?? scales;
  if (asked?.length !== named.length) throw site.fail(`expected a scale or size for ${named.length} axes`);
  return x.shape.map((from, axis) => {
    const at = named.indexOf(axis);
    if (at < 0) return { from, to: from, scale: 1 };
    const to = sizes ? sizes[at]! : Math.floor(Math.fround(from * scales![at]!));
    if (!(Number.isInteger(to) && to > 0 && to * from <= MATRIX))
      throw site.fail(`expected a size in pixels, got ${to} from ${from}`);
    return { from, to, scale: sizes ? to / from : scales![at]! };
  });
}

const isPlain = ({ from, to, scale }: Axis): boolean => Math.abs(scale * from - to) < 1e-4;

/** Does the engine's own resize give the same? It is faster than matrices. */
function isOwn(axes: readonly Axis[], sampling: Sampling): boolean {
  const { mode, coordinates, a, antialias, excludeOutside } = sampling;
  if (mode === "nearest")
    return axes.every((axis) =>
      nearest(axis, sampling)?.every((place, at) => place === Math.floor((at * axis.from) / axis.to)),
    );
  const isHalf =
    coordinates === "half_pixel" || (coordinates === "pytorch_half_pixel" && axes.every(({ to }) => to > 1));
  if (!isHalf || !axes.every(isPlain)) return false;
  return mode === "linear" ? !antialias || excludeOutside : a === -0.5 && excludeOutside;
}

const resize: Rule = (site) => {
  const x = site.x(0);
  const sampling = samplingOf(site);
  if (x.shape.length !== 4) throw site.fail(`expected a picture [N, C, H, W], got [${x.shape.join(", ")}]`);
  if (
    !["nearest", "linear", "cubic"].includes(sampling.mode) ||
    site.text("keep_aspect_ratio_policy", "stretch") !== "stretch"
  )
    throw site.fail(`expected nearest, linear or cubic, stretched; got ${sampling.mode}`);
  const [n, c, vertical, horizontal] = axesOf(site, x) as [Axis, Axis, Axis, Axis];
  if (n.to !== n.from || c.to !== c.from) throw site.fail("expected samples and channels to keep their number");
  const mode = sampling.mode as o.ResizeMode;
  if (isOwn([vertical, horizontal], sampling))
    return o.resize(x, { height: vertical.to, width: horizontal.to }, { mode, antialias: sampling.antialias });
  const [tall, wide] = [interpolation(vertical, sampling), interpolation(horizontal, sampling)];
  if (!tall || !wide) throw site.fail(`expected a way to resize that is covered, got ${sampling.coordinates}`);
  const stretched = o.matmul(x, o.constant(wide, [horizontal.from, horizontal.to]));
  return o.matmul(o.transpose(o.constant(tall, [vertical.from, vertical.to]), [1, 0]), stretched);
};

/** Axes as pairs [before, after] from the file's list of all befores and all afters. */
const pad: Rule = (site) => {
  const x = site.x(0);
  const rank = x.shape.length;
  const flat = site.list(site.has("paddings") ? "paddings" : "pads", 1) ?? [];
  const axes = site.numbers(3)?.map((axis) => site.axis(axis, rank)) ?? [...x.shape.keys()];
  if (flat.length !== 2 * axes.length || !flat.every((side) => Number.isInteger(side) && Math.abs(side) < 2 ** 31))
    throw site.fail(`expected two pads for each of ${axes.length} axes, got [${flat.slice(0, 16)}]`);
  const pairs = x.shape.map((_, axis): [number, number] => {
    const at = axes.indexOf(axis);
    return at < 0 ? [0, 0] : [flat[at]!, flat[at + axes.length]!];
  });
  const mode = site.text("mode", "constant");
  if (mode !== "constant" && mode !== "reflect" && mode !== "edge")
    throw site.fail(`expected constant, reflect or edge, got ${mode}`);
  return o.pad(x, pairs, { mode, value: site.numbers(2)?.[0] ?? site.number("value", 0) });
};

/** A frame cut off, [left, top, right, bottom] pixels (an experimental operator of early files). */
const crop: Rule = (site) => {
  const x = site.x(0);
  const [left = 0, top = 0, right = 0, bottom = 0] = site.ints("border") ?? [];
  const [height, width] = site.ints("scale") ?? [x.shape[2]! - top - bottom, x.shape[3]! - left - right];
  return o.slice(x, [0, 0, top, left], [x.shape[0]!, x.shape[1]!, top + height!, left + width!]);
};

/** [N, a·b, H, W] with the two parts of the channel axis swapped: [N, b·a, H, W]. */
function swapped(x: Node, a: number, b: number): Node {
  const [n, , h, w] = x.shape as [number, number, number, number];
  if (a === 1 || b === 1) return x;
  return o.reshape(o.transpose(o.reshape(x, [n, a, b, h * w]), [0, 2, 1, 3]), x.shape);
}

/** ONNX counts the pixels of a block before the channels (DCR), the engine after them, as CRD does. */
const depthToSpace: Rule = (site) => {
  const [x, block] = [site.x(0), site.number("blocksize", 0)];
  if (!(block > 0) || x.shape.length !== 4 || x.shape[1]! % block ** 2 !== 0)
    throw site.fail(`expected [N, C, H, W] with channels for blocks of ${block}, got [${x.shape.join(", ")}]`);
  const isDeepFirst = site.text("mode", "DCR") === "DCR";
  return o.depthToSpace(isDeepFirst ? swapped(x, block ** 2, x.shape[1]! / block ** 2) : x, block);
};

const spaceToDepth: Rule = (site) => {
  const [x, block] = [site.x(0), site.number("blocksize", 0)];
  if (!(block > 0)) throw site.fail(`expected a block of pixels, got ${block}`);
  return swapped(o.spaceToDepth(x, block), x.shape[1]!, block ** 2);
};

export const pictures: Readonly<Record<string, Rule>> = {
  Resize: resize,
  Upsample: resize,
  Pad: pad,
  Crop: crop,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
};
