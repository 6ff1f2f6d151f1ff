import { compilePredictor, input, type Predictor } from "../../engine/index.ts";
import { bleedAlpha, mergeAlpha, splitAlpha, toGray, toRgb } from "../../image/channels.ts";
import { fromYcbcr, toYcbcr } from "../../image/color.ts";
import { colorsOf, makePicture, makeSamples, type Picture, peakOf, type Size } from "../../image/picture.ts";
import type { Plane } from "../../image/planes.ts";
import { resize, resizePlane } from "../../image/resize.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import type { LazyRuntime } from "../../platform/lazyRuntime.ts";
import { floats, tensor } from "../../tensor/tensor.ts";
import { fittingSize, runFitted } from "./fitSize.ts";
import { tilingOf } from "./receptiveField.ts";
import { mapPicture } from "./tiles.ts";
import { enlargedSize, type Upscaler } from "./upscaler.ts";

/** MATLAB's bicubic, in samples: what networks with an enlarged input were trained on. */
const bicubic = (picture: Picture, size: Size): Picture =>
  resize(picture, size, { method: "bicubic", convention: "matlab" });

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
      const source = isEnlarged ? bicubic(color, target) : color;
      let size: Size | undefined; // all tiles have one size
      const made = await mapPicture(source, { ...hooks, side, radius, scale }, (tile) => {
        size ??= fittingSize(model, tile, scale);
        return runFitted(tile, { size, scale }, (fitted) => enhance(fitted, model, ready));
      });
      return mergeAlpha(made, alpha && bicubic(alpha, target));
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
  const values = Float32Array.from(y.data, (value) => value / 255);
  const { data, width, height } = await predict(predictor, values, { channels: 1, ...sizeOf(tile) });
  const luma: Plane = { width, height, data: data.map((value) => value * 255) };
  if (colorsOf(tile) === 1) return grayOf(luma, tile);
  const fit = (plane: Plane): Plane =>
    width === tile.width ? plane : resizePlane(plane, luma, { method: "bicubic", convention: "matlab", factor: scale });
  return fromYcbcr([luma, fit(cb), fit(cr)], "studio", tile.depth);
}

const sizeOf = ({ width, height }: Size): Size => ({ width, height });

/** Luma 16…235 of a gray picture back to its samples. */
function grayOf({ width, height, data }: Plane, { depth }: Picture): Picture {
  const peak = peakOf(depth);
  const out = makeSamples(depth, data.length);
  for (let i = 0; i < data.length; i++) out[i] = toSample(((data[i]! - 16) / 219) * peak, peak);
  return makePicture({ width, height, channels: 1, depth }, out);
}

const toSample = (value: number, peak: number): number => Math.min(peak, Math.max(0, Math.round(value)));

/** The network makes all three colors, 0…1. */
async function enhanceColors(tile: Picture, predictor: Predictor): Promise<Picture> {
  const { data, depth } = toRgb(tile);
  const [peak, area] = [peakOf(depth), tile.width * tile.height];
  const values = new Float32Array(3 * area);
  for (let p = 0; p < area; p++) for (let c = 0; c < 3; c++) values[c * area + p] = data[3 * p + c]! / peak;
  const made = await predict(predictor, values, { channels: 3, ...sizeOf(tile) });
  const pixels = made.width * made.height;
  const out = makeSamples(depth, 3 * pixels);
  for (let p = 0; p < pixels; p++)
    for (let c = 0; c < 3; c++) out[3 * p + c] = toSample(made.data[c * pixels + p]! * peak, peak);
  const picture = makePicture({ ...sizeOf(made), channels: 3, depth }, out);
  return colorsOf(tile) === 1 ? toGray(picture) : picture;
}

async function predict(
  predictor: Predictor,
  values: Float32Array,
  { channels, width, height }: Size & { readonly channels: number },
): Promise<Size & { readonly data: Float32Array }> {
  const output = await predictor.run(tensor(values, [1, channels, height, width]));
  const [, , rows, columns] = output.shape as [number, number, number, number];
  return { width: columns, height: rows, data: floats(output) };
}
