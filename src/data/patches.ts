import { z } from "zod";
import { input, type Node } from "../engine/index.ts";
import type { Degradation } from "./degradation.ts";
import { listPictures } from "./folder.ts";
import { type Data, memoryOption } from "./kind.ts";
import { patchSource } from "./patchSource.ts";

/** What a super-resolution recipe learns from: aligned patches of pictures and of their reduced copies. */
export interface PatchWanted {
  /** How many times smaller the input picture is. */
  readonly scale: number;
  /** Side of the target patch in pixels; a multiple of the scale. */
  readonly patch: number;
  readonly batch: number;
  /** Planes: luma (BT.601 studio range, 0…1) or RGB (0…1). */
  readonly color: "y" | "rgb";
  /** The input at the target's size (bicubic) or at its own. */
  readonly input: "enlarged" | "lr";
  /** How the reduced copies come about; MATLAB's bicubic unless given. */
  readonly degradation?: Degradation;
}

const options = z.object(memoryOption);

/**
 * Patches for super-resolution: `input` [N, C, h, w] and `target` [N, C, patch, patch], 0…1, flipped and turned by
 * quarters at random.
 */
export const patches = ({ batch, ...wanted }: PatchWanted): Data<{ readonly input: Node; readonly target: Node }> => ({
  batch,
  options,
  inputs(count) {
    const { scale, patch, color, input: kind } = wanted;
    const channels = color === "y" ? 1 : 3;
    const side = kind === "lr" ? patch / scale : patch;
    return {
      input: input("input", [count, channels, side, side]),
      target: input("target", [count, channels, patch, patch]),
    };
  },
  async open({ data, seed, options: given }, { files, codec }) {
    const { memory } = options.parse(given);
    const pictures = await listPictures(data, files);
    return patchSource(
      { ...wanted, pictures, batch, seed, augment: true, memory: memory * 2 ** 20 },
      { files, read: codec.read, probe: codec.probe },
    );
  },
});
