import type { Tensors } from "../engine/index.ts";
import { lumaOf } from "../image/color.ts";
import { crop, type Picture } from "../image/picture.ts";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import type { Degradation } from "./degradation.ts";

/** A large picture and what the network is given for it; 8-bit RGB. */
export interface Pair {
  readonly target: Picture;
  readonly input: Picture;
}

/** One patch: where in the picture, how turned, and where it goes. */
interface Cut {
  readonly x: number;
  readonly y: number;
  readonly side: number;
  /** 1 mirrors left and right, 2 top and bottom, 4 swaps rows and columns. */
  readonly turn: number;
  readonly color: "y" | "rgb";
}

/** What of a source's options concerns its cuts. */
export interface CutOptions {
  readonly scale: number;
  /** Side of a target patch, in pixels. */
  readonly patch: number;
  readonly color: "y" | "rgb";
  readonly input: "enlarged" | "lr";
  readonly seed: number;
  /** Flips and quarter turns, the same for both patches. */
  readonly augment: boolean;
  readonly degradation?: Degradation;
}

/** One patch of each pair, where the step's stream puts it: { input: [N, C, h, w], target: [N, C, H, W] }, 0…1. */
export async function cutBatch(pairs: readonly Pair[], step: number, options: CutOptions): Promise<Tensors> {
  const { scale, patch, color, seed, augment, degradation } = options;
  const channels = color === "y" ? 1 : 3;
  const [small, ratio] = options.input === "lr" ? [patch / scale, scale] : [patch, 1];
  const input = new Float32Array(pairs.length * channels * small * small);
  const target = new Float32Array(pairs.length * channels * patch * patch);
  for (const [index, pair] of pairs.entries()) {
    const draw = random(seed, "patch", step, index);
    const x = scale * draw.below((pair.target.width - patch) / scale + 1);
    const y = scale * draw.below((pair.target.height - patch) / scale + 1);
    const turn = augment ? draw.below(8) : 0;
    const into = (all: Float32Array): Float32Array => {
      const length = all.length / pairs.length;
      return all.subarray(index * length, (index + 1) * length);
    };
    cutPatch(pair.target, { x, y, side: patch, turn, color }, into(target));
    const seen: Cut = { x: x / ratio, y: y / ratio, side: small, turn, color };
    if (!degradation?.spoil) cutPatch(pair.input, seen, into(input));
    else {
      const whole = crop(pair.input, { x: seen.x, y: seen.y, width: small, height: small });
      cutPatch(await degradation.spoil(whole, draw), { ...seen, x: 0, y: 0 }, into(input));
    }
  }
  return {
    input: tensor(input, [pairs.length, channels, small, small]),
    target: tensor(target, [pairs.length, channels, patch, patch]),
  };
}

/** Fills `out`, [C, side, side], with samples / 255 or luma / 255. */
function cutPatch({ width, data }: Picture, { x, y, side, turn, color }: Cut, out: Float32Array): void {
  const plane = side * side;
  for (let row = 0, o = 0; row < side; row++)
    for (let column = 0; column < side; column++, o++) {
      const [down, right] = (turn & 4) === 0 ? [row, column] : [column, row];
      const sx = x + ((turn & 1) === 0 ? right : side - 1 - right);
      const sy = y + ((turn & 2) === 0 ? down : side - 1 - down);
      const i = (sy * width + sx) * 3;
      const [r, g, b] = [data[i]!, data[i + 1]!, data[i + 2]!];
      if (color === "y") out[o] = lumaOf(r / 255, g / 255, b / 255) / 255;
      else {
        out[o] = r / 255;
        out[o + plane] = g / 255;
        out[o + 2 * plane] = b / 255;
      }
    }
}
