import { compilePredictor, input, type Predictor } from "../../engine/index.ts";
import { bleedAlpha, mergeAlpha, splitAlpha, toGray, toRgb } from "../../image/channels.ts";
import { fromYcbcr, toYcbcr } from "../../image/color.ts";
import { colorsOf, makePicture, makeSamples, type Picture, peakOf, type Size } from "../../image/picture.ts";
import type { Plane } from "../../image/planes.ts";
import { enlargedTo } from "../../image/reduce.ts";
import { resizePlane } from "../../image/resize.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import type { LazyRuntime } from "../../platform/lazyRuntime.ts";
import { toPictures, toTensor } from "../../tensor/pictures.ts";
import { floats, tensor } from "../../tensor/tensor.ts";
import { fittingSize, runFitted } from "./fitSize.ts";
import { tilingOf } from "./receptiveField.ts";
import { mapPicture } from "./tiles.ts";
import { enlargedSize, type Upscaler } from "./upscaler.ts";

/** An upscaler of a loaded network. @param side of its tiles */
export function networkUpscaler(
  model: LoadedModel<UseOf<"upscale">>,
  runtime: Pick<LazyRuntime, "get">,
  side: number,
): Upscaler {
  const { usage, weights } = model;
  const tiling = tilingOf(model);
  let predictor: Promise<Predictor> | undefined;
  const open = async (): Promise<Predictor> =>
    compilePredictor((shape) => model.build(input("input", shape)), { runtime: await runtime.get(), weights });
  return {
    name: model.name,
    scale: usage.scale,
    seams: tiling.seams,
    async run(picture, hooks = {}) {
      const target = enlargedSize(picture, usage.scale, "matlab");
      predictor ??= open();
      const ready = await predictor;
      const { color, alpha } = splitAlpha(bleedAlpha(picture));
      const isEnlarged = usage.input === "enlarged";
      const scale = isEnlarged ? 1 : usage.scale;
      const radius = Math.max(tiling.radius, isEnlarged ? 0 : 3); // 3: the bicubic enlargement of Cb and Cr
      const source = isEnlarged ? enlargedTo(target, color) : color;
      let size: Size | undefined; // all tiles have one size
      const made = await mapPicture(source, { ...hooks, side, radius, scale }, (tile) => {
        size ??= fittingSize(model, tile, scale);
        return runFitted(tile, { size, scale }, (fitted) => enhance(fitted, model, ready));
      });
      return mergeAlpha(made, alpha && enlargedTo(target, alpha));
    },
    async dispose() {
      const opened = await predictor?.catch(() => undefined);
      predictor = undefined;
      await opened?.dispose();
    },
  };
}

/** One tile through the network: gray or RGB in, the same kind and depth out, clipped and rounded. */
const enhance = (tile: Picture, { usage }: LoadedModel<UseOf<"upscale">>, predictor: Predictor): Promise<Picture> =>
  usage.color === "y" ? enhanceLuma(tile, usage.scale, predictor) : enhanceColors(tile, predictor);

/** The network makes the luma (BT.601 studio range over 255); Cb and Cr are interpolated. */
async function enhanceLuma(tile: Picture, scale: number, predictor: Predictor): Promise<Picture> {
  const [y, cb, cr] = toYcbcr(tile) as readonly [Plane, Plane, Plane];
  const values = Float32Array.from(y.data, (value) => value / 255); // not rounded to samples, as pictures are
  const output = await predictor.run(tensor(values, [1, 1, tile.height, tile.width]));
  const [, , height, width] = output.shape as readonly [number, number, number, number];
  const luma: Plane = { width, height, data: floats(output).map((value) => value * 255) };
  if (colorsOf(tile) === 1) return grayOf(luma, tile);
  const fit = (plane: Plane): Plane =>
    width === tile.width ? plane : resizePlane(plane, luma, { method: "bicubic", convention: "matlab", factor: scale });
  return fromYcbcr([luma, fit(cb), fit(cr)], "studio", tile.depth);
}

/** Luma 16…235 of a gray picture back to its samples. */
function grayOf({ width, height, data }: Plane, { depth }: Picture): Picture {
  const peak = peakOf(depth);
  const out = makeSamples(depth, data.length);
  for (let i = 0; i < data.length; i++)
    out[i] = Math.min(peak, Math.max(0, Math.round(((data[i]! - 16) / 219) * peak)));
  return makePicture({ width, height, channels: 1, depth }, out);
}

/** The network makes all three colors, 0…1. */
async function enhanceColors(tile: Picture, predictor: Predictor): Promise<Picture> {
  const [picture] = toPictures(await predictor.run(toTensor([toRgb(tile)])), "unit", tile.depth);
  return colorsOf(tile) === 1 ? toGray(picture!) : picture!;
}
