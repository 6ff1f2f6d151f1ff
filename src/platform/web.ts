import { userError } from "../errors.ts";
import { isOpaque, mergeAlpha, splitAlpha, toDepth, toRgb } from "../image/channels.ts";
import { makePicture, type Picture, type Size } from "../image/picture.ts";
import type { Files } from "./files.ts";
import type { Codec } from "./platform.ts";

/** A page reads what is served and writes nothing. Paths are URLs. */
export const webFiles: Pick<Files, "read"> = {
  async read(url) {
    const answer = await fetch(url).catch((error: unknown) => {
      throw userError(
        url,
        `expected a file that can be fetched, got ${error instanceof Error ? error.message : error}`,
      );
    });
    if (!answer.ok)
      throw userError(url, `expected a file that can be fetched, got ${answer.status} ${answer.statusText}`);
    return new Uint8Array(await answer.arrayBuffer());
  },
};

/**
 * A picture over the pixels of a canvas (not copied where any is transparent): RGB when all are opaque, else with
 * alpha.
 */
export function fromImageData({ width, height, data }: Pick<ImageData, "width" | "height" | "data">): Picture {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const picture = makePicture({ width, height, channels: 4 }, bytes);
  return isOpaque(picture) ? splitAlpha(picture).color : picture;
}

const opaque = ({ width, height }: Size): Picture =>
  makePicture({ width, height, channels: 1 }, new Uint8Array(width * height).fill(255));

/** A picture for a canvas's `putImageData`; 16 bits become 8. */
export function toImageData(picture: Picture): ImageData {
  const { color, alpha } = splitAlpha(toRgb(toDepth(picture, 8)));
  const { data } = mergeAlpha(color, alpha ?? opaque(picture));
  return new ImageData(Uint8ClampedArray.from(data), picture.width, picture.height);
}

/** Decodes as the browser does: any format that it shows, upright, in sRGB, 8 bits. */
export const webCodec: Pick<Codec, "read"> = {
  async read(source) {
    const bytes = typeof source === "string" ? await webFiles.read(source) : source;
    const where = typeof source === "string" ? source : "picture";
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(bytes)]), { premultiplyAlpha: "none" }).catch(
      () => {
        throw userError(where, "expected a picture that this browser shows, got another file");
      },
    );
    const { width, height } = bitmap;
    const canvas = new OffscreenCanvas(width, height).getContext("2d", { colorSpace: "srgb" })!;
    canvas.drawImage(bitmap, 0, 0);
    bitmap.close();
    return fromImageData(canvas.getImageData(0, 0, width, height));
  },
};
