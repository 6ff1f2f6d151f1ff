/** How a convolution walks over a picture. Pads are [top, left, bottom, right] in pixels of zeros. */
export interface Geometry {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly groups: number;
  /** Height and width of the large side: the input of the convolution, the output of the transposed one. */
  readonly size: readonly [number, number];
}
