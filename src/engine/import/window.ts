import type { ImportedNode } from "./importedNode.ts";

/** How a window walks over a picture, [vertical, horizontal]; pads are [top, left, bottom, right]. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
}

type Pair = readonly [number, number];

/** An attribute of two whole numbers. @throws UserError for anything but two whole numbers */
export function pair(site: ImportedNode, name: string, fallback: number, least = 1): Pair {
  const values = site.ints(name) ?? [fallback, fallback];
  if (values.length !== 2 || !values.every((value) => Number.isInteger(value) && value >= least && value < 2 ** 20))
    throw site.fail(`${name}: expected two whole numbers (only pictures [N, C, H, W] are covered), got [${values}]`);
  return values as unknown as Pair;
}

/** The total padding of both axes dealt out, the odd pixel at the end ("upper") or at the start. */
export const dealt = (total: Pair, upper: boolean): Window["pads"] => {
  const [small, large] = [total.map((sum) => Math.floor(sum / 2)), total.map((sum) => Math.ceil(sum / 2))];
  const [before, after] = upper ? [small, large] : [large, small];
  return [before[0]!, before[1]!, after[0]!, after[1]!];
};

/** The walk of a convolution or pool over a picture of `size` pixels, automatic padding worked out. */
export function windowOf(site: ImportedNode, size: readonly number[], kernel: Pair): Window {
  const [stride, dilation] = [pair(site, "strides", 1), pair(site, "dilations", 1)];
  const auto = site.text("auto_pad", "NOTSET");
  if (auto === "SAME_UPPER" || auto === "SAME_LOWER") {
    const total = [0, 1].map((axis) => {
      const out = Math.ceil(size[axis]! / stride[axis]!);
      return Math.max(0, (out - 1) * stride[axis]! + dilation[axis]! * (kernel[axis]! - 1) + 1 - size[axis]!);
    });
    return { kernel, stride, dilation, pads: dealt(total as unknown as Pair, auto === "SAME_UPPER") };
  }
  return { kernel, stride, dilation, pads: auto === "VALID" ? [0, 0, 0, 0] : padsOf(site) };
}

/** The attribute `pads`, zeros when absent. @throws UserError for anything but four whole numbers */
export function padsOf(site: ImportedNode): Window["pads"] {
  const pads = site.ints("pads") ?? [0, 0, 0, 0];
  if (pads.length !== 4 || !pads.every((pad) => Number.isInteger(pad) && pad >= 0 && pad < 2 ** 20))
    throw site.fail(`pads: expected four whole numbers, got [${pads}]`);
  return pads as unknown as Window["pads"];
}
