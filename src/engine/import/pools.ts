import type { Node } from "../graph/node.ts";
import * as o from "../ops/index.ts";
import type { ImportedNode, Rule } from "./importedNode.ts";
import { pair, type Window, windowOf } from "./window.ts";

/**
 * A window's walk, and the rows and columns beyond the padding that the last window of a rounded-up pool reaches into.
 */
interface Pool extends Window {
  readonly beyond: readonly [number, number];
}

function poolOf(site: ImportedNode, { shape }: Node): Pool {
  if (shape.length !== 4) throw site.fail(`expected a picture [N, C, H, W], got [${shape.join(", ")}]`);
  const walk = windowOf(site, shape.slice(2), pair(site, "kernel_shape", 0));
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
    [
      [0, 0],
      [0, 0],
      [top!, bottom!],
      [left!, right!],
    ],
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

/** The share of each window that counts, along one axis: what lies beyond never does, padding only if asked. */
function sharesOf(axis: 0 | 1, side: number, windows: number, pool: Pool, isPadCounted: boolean): number[] {
  const [before, after, kernel] = [pool.pads[axis]!, pool.pads[axis + 2]!, pool.kernel[axis]];
  const [low, high] = isPadCounted ? [-before, side + after] : [0, side];
  return Array.from({ length: windows }, (_, at) => {
    const start = at * pool.stride[axis] - before;
    return (Math.min(start + kernel, high) - Math.max(start, low)) / kernel;
  });
}

/** The mean of every window: of the elements that count, which are fewer at the border. */
const averagePool: Rule = (site) => {
  const x = site.x(0);
  const pool = poolOf(site, x);
  const { kernel, stride, pads, beyond } = pool;
  const frame = [pads[0], pads[1], pads[2] + beyond[0], pads[3] + beyond[1]];
  const means = o.averagePool(framed(x, frame, 0), { kernel, stride });
  const isPadCounted = site.number("count_include_pad", 0) !== 0;
  return ([0, 1] as const).reduce((y, axis) => {
    const shares = sharesOf(axis, x.shape[axis + 2]!, y.shape[axis + 2]!, pool, isPadCounted);
    if (shares.every((share) => share === 1)) return y;
    return o.div(y, o.constant(shares, axis === 0 ? [shares.length, 1] : [shares.length]));
  }, means);
};

const picture = ({ shape }: Node): number[] => [...shape.keys()].slice(2);

export const pools: Readonly<Record<string, Rule>> = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: (site) => o.mean(site.x(0), picture(site.x(0)), true),
  GlobalMaxPool: (site) => o.max(site.x(0), picture(site.x(0)), true),
};
