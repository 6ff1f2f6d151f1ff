import type { Node } from "../../graph/node.ts";
import * as o from "../../ops/index.ts";
import { numbersOf, type Rule, type Site } from "./site.ts";
import { pair, type Walk, walkOf } from "./walk.ts";

/** A window's walk, and the rows and columns beyond the padding that the last window of a rounded-up pool reaches into. */
interface Pool extends Walk {
  readonly beyond: readonly [number, number];
}

function poolOf(site: Site, { shape }: Node): Pool {
  if (shape.length !== 4) throw site.fail(`expected a picture [N, C, H, W], got [${shape.join(", ")}]`);
  const walk = walkOf(site, shape.slice(2), pair(site, "kernel_shape", 0));
  if (walk.dilation.some((step) => step !== 1)) throw site.fail(`expected no dilation, got [${walk.dilation}]`);
  const up = site.number("ceil_mode", 0) !== 0;
  const beyond = [0, 1].map((axis) => {
    const [before, side] = [walk.pads[axis]!, shape[axis + 2]!];
    const room = before + side + walk.pads[axis + 2]!;
    const steps = Math.ceil((room - walk.kernel[axis]!) / walk.stride[axis]!);
    const last = steps * walk.stride[axis]! >= side + before ? steps - 1 : steps; // no window starts in the padding
    return up ? Math.max(0, last * walk.stride[axis]! + walk.kernel[axis]! - room) : 0;
  });
  return { ...walk, beyond: beyond as [number, number] };
}

const framed = (x: Node, [top, left, bottom, right]: readonly number[], value: number): Node =>
  o.pad(
    x,
    [[0, 0], [0, 0], [top!, bottom!], [left!, right!]], // biome-ignore format: one line
    { value },
  );

const LOWEST = -3.4e38; // a border that no maximum comes from

const maxPool: Rule = (site) => {
  const x = site.x(0);
  const { kernel, stride, pads, beyond } = poolOf(site, x);
  const [top, left, bottom, right] = pads;
  const isEven = top === bottom && left === right && top <= kernel[0] / 2 && left <= kernel[1] / 2;
  if (isEven && beyond[0] + beyond[1] === 0) return o.maxPool(x, { kernel, stride, padding: [top, left] });
  return o.maxPool(framed(x, [top, left, bottom + beyond[0], right + beyond[1]], LOWEST), { kernel, stride });
};

/** The mean of every window; its sum is divided by the elements that count, which are fewer at the border. */
const averagePool: Rule = (site) => {
  const x = site.x(0);
  const { kernel, stride, pads, beyond } = poolOf(site, x);
  const counted = site.number("count_include_pad", 0) ? 1 : 0;
  const pooled = (picture: Node, border: number): Node =>
    o.averagePool(framed(framed(picture, pads, border), [0, 0, ...beyond], 0), { kernel, stride });
  const means = pooled(x, 0);
  const shares = pooled(o.constant([1], [1, 1, ...x.shape.slice(2)]), counted);
  const known = numbersOf(shares, site.around.values);
  if (known?.every((share) => Math.abs(share - 1) < 1e-12)) return means;
  return o.div(means, known ? o.constant(known, shares.shape) : shares);
};

const picture = ({ shape }: Node): number[] => [...shape.keys()].slice(2);

export const pools: Readonly<Record<string, Rule>> = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: (site) => o.mean(site.x(0), picture(site.x(0)), true),
  GlobalMaxPool: (site) => o.max(site.x(0), picture(site.x(0)), true),
};
