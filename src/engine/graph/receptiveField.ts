import { type Node, type Receptive, topological } from "./node.ts";

/**
 * What an output pixel of a network sees of its input. Araujo et al., "Computing Receptive Fields of Convolutional
 * Neural Networks", https://distill.pub/2019/computing-receptive-fields; here from the ops' rows (`Op.receptive`), with
 * fractional strides.
 */
export interface ReceptiveField {
  /**
   * Input pixels to each side of its own place that an output pixel depends on, at most; Infinity where an op sees all.
   */
  readonly radius: number;
  /** Input pixels from one output pixel to the next, [vertical, horizontal]: ½ where the network enlarges twice. */
  readonly step: readonly [number, number];
  /**
   * Input pixels by which a picture can be moved so that the output moves with it: 4 for a network that shrinks to a
   * quarter inside. Parts that start at its multiples give the pixels of the whole. Infinity where there is no such
   * number up to 256.
   */
  readonly grid: number;
}

const farthestGrid = 256;

/** The axis as it is, pixel by pixel. */
export const still = (axis: number): Receptive => ({ axis, stride: 1, before: 0, after: 0 });

/** Elementwise ops: axes meet from the last, as in a broadcast; an axis of 1 that is repeated is seen by all. */
export function elementwise({ inputs, shape }: Node, input: number, axis: number): Receptive {
  const from = inputs[input]!.shape;
  const place = axis + shape.length - from.length;
  return from[axis] === shape[place] ? still(place) : "all";
}

/**
 * Ops on a picture [N, C, H, W] as their first input: every sample alone, all channels together. `side` is 0 for rows,
 * 1 for columns.
 */
export function onPicture(input: number, axis: number, along: (side: 0 | 1) => Receptive): Receptive {
  if (input > 0 || axis === 1) return "all";
  return axis === 0 ? still(axis) : along(axis === 2 ? 0 : 1);
}

/** Ops that hand on their first input and read nothing of the others. */
export const firstInput = (_: Node, input: number, axis: number): Receptive => (input === 0 ? still(axis) : "none");

/** What a value's pixels see of one axis of the picture: pixel i sees step · i − before … step · i + after. */
interface View {
  /** Where the axis of the picture lies in the value. */
  readonly axis: number;
  readonly step: number;
  readonly before: number;
  readonly after: number;
}

/** All of the picture. */
const everything: View = { axis: 0, step: 1, before: Infinity, after: Infinity };

/** What an op's output sees through one of its inputs; undefined for nothing. */
function through(node: Node, input: number, view: View): View | undefined {
  const receptive = node.op.receptive?.(node, input, view.axis) ?? "all";
  if (receptive === "none") return undefined;
  if (receptive === "all" || view === everything) return everything;
  const { axis, stride, before, after } = receptive;
  return {
    axis,
    step: view.step * stride,
    before: view.before + view.step * before,
    after: view.after + view.step * after,
  };
}

/** Both together. Views of different axes or steps run apart as i grows: they see everything. */
function join(a: View, b: View): View {
  if (a === everything || b === everything || a.axis !== b.axis || Math.abs(a.step - b.step) > 1e-9 * a.step)
    return everything;
  return { ...a, before: Math.max(a.before, b.before), after: Math.max(a.after, b.after) };
}

/** What every value that depends on the picture sees along one of its axes. */
function viewsOf(order: readonly Node[], picture: Node, axis: number): Map<Node, View> {
  const views = new Map<Node, View>([[picture, { axis, step: 1, before: 0, after: 0 }]]);
  for (const node of order) {
    const seen = node.inputs.flatMap((one, input) => {
      const view = views.get(one);
      return (view && through(node, input, view)) ?? [];
    });
    if (seen.length > 0) views.set(node, seen.reduce(join));
  }
  return views;
}

const rounding = 1e-6; // of sums of thirds

const radiusOf = ({ step, before, after }: View): number =>
  Math.max(0, Math.floor(before + rounding), Math.floor(after + 1 - step + rounding));

/** The least move that is a whole number of pixels of every value on the way. */
function gridOf(steps: readonly number[]): number {
  const isWhole = (value: number): boolean => Math.abs(value - Math.round(value)) < rounding;
  for (let grid = 1; grid <= farthestGrid; grid++) if (steps.every((step) => isWhole(grid / step))) return grid;
  return Infinity;
}

/**
 * The receptive field of a network, at the size that it is built at: a network whose pads, crops or resizes depend on
 * its size in another way than its sides do can see further at other sizes.
 * @param output what the network makes     @param picture its input leaf, [..., H, W]
 */
export function receptiveField(output: Node, picture: Node): ReceptiveField {
  const order = topological([output], [picture]);
  const rank = picture.shape.length;
  const both = [rank - 2, rank - 1].map((axis) => viewsOf(order, picture, axis));
  const [rows, columns] = both.map((views) => views.get(output) ?? everything) as [View, View];
  const steps = both.flatMap((views) => [...views.values()].map(({ step }) => step));
  const radius = Math.max(radiusOf(rows), radiusOf(columns));
  return {
    radius,
    step: [rows.step, columns.step],
    grid: radius === Infinity ? Infinity : gridOf([...new Set(steps)]),
  };
}
