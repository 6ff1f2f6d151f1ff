import { z } from "zod";
import { fromLab, toLab } from "../../image/color.ts";
import type { Picture } from "../../image/picture.ts";
import type { Plane } from "../../image/planes.ts";
import { plainPicture } from "../../image/reduce.ts";
import { defineTask, type Progress } from "../common/task.ts";

/** What `recolor` can be asked for. */
export const recolorOptions = z.object({
  like: z.string().min(1).describe("picture whose colors are taken").meta({ placeholder: "picture" }),
  strength: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("0 leaves the colors as they are, 1 takes the other picture's"),
});

/** Mean and standard deviation of a plane. */
function statisticsOf({ data }: Plane<Float64Array>): { readonly mean: number; readonly spread: number } {
  const mean = data.reduce((total, value) => total + value, 0) / data.length;
  const variance = data.reduce((total, value) => total + (value - mean) ** 2, 0) / data.length;
  return { mean, spread: Math.sqrt(variance) };
}

/** A plane with the mean and standard deviation of another, or on the way to them. */
function moved(plane: Plane<Float64Array>, model: Plane<Float64Array>, strength: number): Plane<Float64Array> {
  const [own, goal] = [statisticsOf(plane), statisticsOf(model)];
  const factor = own.spread === 0 ? 1 : goal.spread / own.spread;
  const target = (value: number): number => (value - own.mean) * factor + goal.mean;
  return { ...plane, data: plane.data.map((value) => value + strength * (target(value) - value)) };
}

/** Gives a picture the colors of another. Reinhard et al., "Color Transfer between Images", 2001, in CIELAB. */
export const recolor = defineTask({
  name: "recolor",
  summary: "Give a picture the colors of another.",
  takes: "picture",
  options: recolorOptions,
  gives: "picture",
  async *run(picture, { like, strength }, { platform, signal }): AsyncGenerator<Progress, Picture> {
    yield { done: 0, total: 1, what: like };
    const model = toLab(plainPicture(await platform.codec.read(like)));
    signal?.throwIfAborted();
    return fromLab(toLab(plainPicture(picture)).map((plane, at) => moved(plane, model[at]!, strength)));
  },
});
