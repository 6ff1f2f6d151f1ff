/** Ranges in which networks take the samples of pictures; pictures themselves are 0…1 of their largest sample. */
export const rangeNames = ["unit", "symmetric", "bytes", "imagenet"] as const;
export type RangeName = (typeof rangeNames)[number];

/** Mean and standard deviation of ImageNet's red, green and blue in 0…1, as torchvision's networks expect them. */
export const IMAGENET = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const;

/** One value into a range, and back. `plane` is 0 for gray and red, 1 for green, 2 for blue. */
export interface Range {
  /** A value of 0…1 in this range. */
  of(value: number, plane: number): number;
  /** A value of this range in 0…1. */
  back(value: number, plane: number): number;
}

/** Every range in plain numbers; `nn/range.ts` has the same as nodes of a graph. */
export const ranges: Readonly<Record<RangeName, Range>> = {
  /** 0…1. */
  unit: { of: (value) => value, back: (value) => value },
  /** −1…1, what a tanh gives. */
  symmetric: { of: (value) => 2 * value - 1, back: (value) => 0.5 * value + 0.5 },
  /** 0…255. */
  bytes: { of: (value) => 255 * value, back: (value) => value / 255 },
  /** Less ImageNet's mean, over its deviation; RGB alone. */
  imagenet: {
    of: (value, plane) => (value - IMAGENET.mean[plane]!) / IMAGENET.deviation[plane]!,
    back: (value, plane) => value * IMAGENET.deviation[plane]! + IMAGENET.mean[plane]!,
  },
};
