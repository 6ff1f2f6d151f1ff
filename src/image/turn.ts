import { makePicture, makeSamples, type Picture } from "./picture.ts";

/** A walk over the source: the pixel at (x, y) of the result is `start + x·right + y·down`, counted in pixels. */
interface Walk {
  readonly width: number;
  readonly height: number;
  readonly start: number;
  readonly right: number;
  readonly down: number;
}

const walk = (picture: Picture, { width, height, start, right, down }: Walk): Picture => {
  const { channels, depth, data, metadata } = picture;
  const out = makeSamples(depth, data.length);
  for (let y = 0, o = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = (start + x * right + y * down) * channels;
      for (let c = 0; c < channels; c++) out[o++] = data[i + c]!;
    }
  return makePicture({ width, height, channels, depth }, out, metadata);
};

/** Left becomes right. */
export const flipHorizontal = (picture: Picture): Picture => {
  const { width, height } = picture;
  return walk(picture, { width, height, start: width - 1, right: -1, down: width });
};

/** Top becomes bottom. */
export const flipVertical = (picture: Picture): Picture => {
  const { width, height } = picture;
  return walk(picture, { width, height, start: (height - 1) * width, right: 1, down: -width });
};

/** Turns clockwise by `quarters` × 90°; negative counts turn counterclockwise. */
export const rotate = (picture: Picture, quarters: number): Picture => {
  const { width, height } = picture;
  const walks: readonly Walk[] = [
    { width, height, start: 0, right: 1, down: width },
    { width: height, height: width, start: (height - 1) * width, right: -width, down: 1 },
    { width, height, start: width * height - 1, right: -1, down: -width },
    { width: height, height: width, start: width - 1, right: width, down: -1 },
  ];
  return walk(picture, walks[((quarters % 4) + 4) % 4]!);
};
