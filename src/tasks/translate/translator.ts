import { compilePredictor, input, type Runtime } from "../../engine/index.ts";
import { toGray, toRgb } from "../../image/channels.ts";
import type { Picture } from "../../image/picture.ts";
import { plainPicture } from "../../image/reduce.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import type { UseOf } from "../../nn/use.ts";
import { toPictures, toTensor } from "../../tensor/pictures.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { fittingSize, runFitted } from "../upscale/fitSize.ts";

/** Something that turns pictures into others. */
export interface Translator {
  /** One picture of any size that the network takes or that can be extended to one; 8 bits, alpha laid over white. */
  run(picture: Picture): Promise<Picture>;
  /** Pictures [N, C, size, size] in 0…1, one after the other. */
  batch(pictures: Tensor): Promise<readonly Picture[]>;
  dispose(): Promise<void>;
}

/** Opens a network that turns pictures into others. */
export function openTranslator(model: LoadedModel<UseOf<"translate">>, runtime: Runtime): Translator {
  const { usage, weights, build } = model;
  const predictor = compilePredictor((shape) => build(input("input", shape)), { runtime, weights });
  const turn = async (picture: Picture): Promise<Picture> => toPictures(await predictor.run(toTensor([picture])))[0]!;
  const translator: Translator = {
    async run(picture) {
      const plain = usage.channels === 1 ? toGray(plainPicture(picture)) : toRgb(plainPicture(picture));
      return runFitted(plain, { size: fittingSize(model, plain, 1), scale: 1 }, turn);
    },
    async batch(pictures) {
      const made: Picture[] = [];
      for (const picture of toPictures(pictures)) made.push(await translator.run(picture));
      return made;
    },
    dispose: () => predictor.dispose(),
  };
  return translator;
}
