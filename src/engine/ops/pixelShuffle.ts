import { type Shape, sizeOf } from "../../tensor/tensor.ts";
import { defineOp, misfit, type Node } from "../graph/node.ts";
import { onPicture } from "../graph/receptiveField.ts";

interface Blocks {
  readonly block: number;
}

/** Visits the element pairs of a deep array [N, C·b², H, W] and the flat one [N, C, H·b, W·b]. */
function eachBlock([n, c, height, width]: Shape, block: number, visit: (deep: number, flat: number) => void): void {
  const [h, w] = [height! / block, width! / block];
  let flat = 0;
  for (let nc = 0; nc < n! * c!; nc++)
    for (let row = 0; row < height!; row++)
      for (let column = 0; column < width!; column++) {
        const tap = (row % block) * block + (column % block);
        visit(((nc * block * block + tap) * h + Math.floor(row / block)) * w + Math.floor(column / block), flat++);
      }
}

/**
 * Channels spread into blocks of pixels: [N, C·b², H, W] → [N, C, H·b, W·b], in the order of PyTorch's PixelShuffle.
 */
export const depthToSpaceOp = defineOp<Blocks>({
  name: "depthToSpace",
  shape(inputs, { block }) {
    const [n, c, h, w] = inputs[0]!.shape;
    if (inputs[0]!.shape.length !== 4) throw misfit("depthToSpace", inputs, "expected [N, C, H, W]");
    if (c! % block ** 2 !== 0) throw misfit("depthToSpace", inputs, `channels are no multiple of ${block}²`);
    return [n!, c! / block ** 2, h! * block, w! * block];
  },
  gradient: (dy, { attributes: { block } }) => [spaceToDepth(dy, block)],
  // On the CPU two transposes of three and four axes take three quarters of the time of the one of six in DepthToSpace.
  onnx(emit, [x], { inputs, shape, attributes: { block } }) {
    if (emit.target !== "cpu") return emit.node("DepthToSpace", [x!], { blocksize: block, mode: "CRD" });
    const [n, c, height, width] = shape as [number, number, number, number];
    const [h, w] = inputs[0]!.shape.slice(2) as [number, number];
    const columns = emit.node("Reshape", [x!, emit.ints([n * c * block, block, h * w])]);
    const wide = emit.node("Transpose", [columns], { perm: [0, 2, 1] });
    const rows = emit.node("Reshape", [wide, emit.ints([n * c, block, h, width])]);
    const tall = emit.node("Transpose", [rows], { perm: [0, 2, 1, 3] });
    return emit.node("Reshape", [tall, emit.ints([n, c, height, width])]);
  },
  reference([x], { shape, attributes: { block } }) {
    const out = new Float64Array(sizeOf(shape));
    eachBlock(shape, block, (deep, flat) => {
      out[flat] = x!.data[deep]!;
    });
    return out;
  },
  receptive: ({ attributes: { block } }, input, axis) =>
    onPicture(input, axis, () => ({ axis, stride: 1 / block, before: (block - 1) / block, after: 0 })),
  examples: [
    { inputs: [[2, 8, 2, 3]], attributes: { block: 2 } },
    { inputs: [[1, 9, 2, 1]], attributes: { block: 3 } },
  ],
});
export const depthToSpace = (x: Node, block: number): Node => depthToSpaceOp([x], { block });

/** Blocks of pixels gathered into channels: [N, C, H·b, W·b] → [N, C·b², H, W], the inverse of depthToSpace. */
export const spaceToDepthOp = defineOp<Blocks>({
  name: "spaceToDepth",
  shape(inputs, { block }) {
    const [n, c, h, w] = inputs[0]!.shape;
    if (inputs[0]!.shape.length !== 4) throw misfit("spaceToDepth", inputs, "expected [N, C, H, W]");
    if (h! % block !== 0 || w! % block !== 0)
      throw misfit("spaceToDepth", inputs, `height and width are no multiples of ${block}`);
    return [n!, c! * block ** 2, h! / block, w! / block];
  },
  gradient: (dy, { attributes: { block } }) => [depthToSpace(dy, block)],
  // ONNX counts the taps before the channels. With every plane a picture of its own there is no difference; a file,
  // whose
  // sides may be free, gets the channels reordered instead.
  onnx(emit, [x], { inputs, shape, attributes: { block } }) {
    const [n, c, height, width] = inputs[0]!.shape as [number, number, number, number];
    if (emit.target === "file") {
      const order = Array.from({ length: shape[1]! }, (_, at) => (at % block ** 2) * c + Math.floor(at / block ** 2));
      return emit.node("Gather", [emit.node("SpaceToDepth", [x!], { blocksize: block }), emit.ints(order)], {
        axis: 1,
      });
    }
    const planes = emit.node("Reshape", [x!, emit.ints([n * c, 1, height, width])]);
    return emit.node("Reshape", [emit.node("SpaceToDepth", [planes], { blocksize: block }), emit.ints(shape)]);
  },
  reference([x], { shape, inputs, attributes: { block } }) {
    const out = new Float64Array(sizeOf(shape));
    eachBlock(inputs[0]!.shape, block, (deep, flat) => {
      out[deep] = x!.data[flat]!;
    });
    return out;
  },
  receptive: ({ attributes: { block } }, input, axis) =>
    onPicture(input, axis, () => ({ axis, stride: block, before: 0, after: block - 1 })),
  examples: [
    { inputs: [[2, 3, 4, 6]], attributes: { block: 2 } },
    { inputs: [[2, 1, 6, 3]], attributes: { block: 3 } },
  ],
});
export const spaceToDepth = (x: Node, block: number): Node => spaceToDepthOp([x], { block });
