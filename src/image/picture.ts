import { userError } from "../errors.ts";

/** What a file says about its picture besides the pixels; kept so that it can be written back. */
export interface PictureMetadata {
  /** EXIF as a TIFF block (no "Exif\0\0" prefix), orientation already set to 1. */
  readonly exif?: Uint8Array;
  /** ICC profile of the file it came from; the pixels themselves are sRGB. */
  readonly icc?: Uint8Array;
  /** XMP packet, UTF-8. */
  readonly xmp?: Uint8Array;
  /** Dots per inch. */
  readonly density?: number;
}

/** 1 gray, 2 gray + alpha, 3 RGB, 4 RGB + alpha. Alpha is straight, not premultiplied. */
export type Channels = 1 | 2 | 3 | 4;
/** Bits per sample: values are 0…255 or 0…65535. */
export type Depth = 8 | 16;
export type Samples = Uint8Array | Uint16Array;

/** A picture in sRGB-coded values, interleaved [height, width, channels], rows from top to bottom. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;
  readonly depth: Depth;
  readonly data: Samples;
  readonly metadata?: PictureMetadata;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A rectangle in pixels; x to the right, y downwards, from the top left corner. */
export interface Box extends Size {
  readonly x: number;
  readonly y: number;
}

/** The largest value of a sample: 255 or 65535. */
export const peakOf = (depth: Depth): number => (depth === 8 ? 255 : 65535);
export const hasAlpha = ({ channels }: Pick<Picture, "channels">): boolean => channels === 2 || channels === 4;
/** Channels without alpha: 1 or 3. */
export const colorsOf = ({ channels }: Pick<Picture, "channels">): 1 | 3 => (channels < 3 ? 1 : 3);

const isSide = (value: number): boolean => Number.isSafeInteger(value) && value > 0;

/** Throws unless both sides are whole numbers above zero. */
export const checkSize = (where: string, { width, height }: Size): void => {
  if (!isSide(width) || !isSide(height))
    throw userError(where, `expected a size in whole pixels above zero, got ${width}×${height}`);
};

export const makeSamples = (depth: Depth, length: number): Samples =>
  depth === 8 ? new Uint8Array(length) : new Uint16Array(length);

type Shape = Size & { readonly channels: Channels; readonly depth?: Depth };

/**
 * A picture over the given samples (not copied), or a black, fully transparent one.
 * @throws UserError where samples and size do not fit
 */
export const makePicture = (
  { width, height, channels, depth = 8 }: Shape,
  data: Samples = makeSamples(depth, width * height * channels),
  metadata?: PictureMetadata,
): Picture => {
  checkSize("picture", { width, height });
  if (data.length !== width * height * channels)
    throw userError(
      "picture",
      `expected ${width * height * channels} samples for ${width}×${height}×${channels}, got ${data.length}`,
    );
  if (data instanceof Uint16Array !== (depth === 16))
    throw userError("picture", `expected ${depth}-bit samples, got a ${data.constructor.name}`);
  return { width, height, channels, depth, data, ...(metadata && { metadata }) };
};

/** The same size, depth, channels and samples; metadata is not looked at. */
export const isSamePicture = (a: Picture, b: Picture): boolean =>
  a.width === b.width &&
  a.height === b.height &&
  a.channels === b.channels &&
  a.depth === b.depth &&
  a.data.every((value, i) => value === b.data[i]);

/** A copy of a rectangle, which must lie within the picture. @throws UserError for a box that is not inside */
export const crop = (picture: Picture, box: Box): Picture => {
  const { channels, depth, metadata } = picture;
  checkSize("crop", box);
  const fits = box.x >= 0 && box.y >= 0 && box.x + box.width <= picture.width && box.y + box.height <= picture.height;
  if (!fits || !Number.isInteger(box.x) || !Number.isInteger(box.y))
    throw userError(
      "crop",
      `expected a rectangle within ${picture.width}×${picture.height}, got ${box.width}×${box.height} at (${box.x}, ${box.y})`,
    );
  const data = makeSamples(depth, box.width * box.height * channels);
  const row = box.width * channels;
  for (let y = 0; y < box.height; y++) {
    const from = ((box.y + y) * picture.width + box.x) * channels;
    data.set(picture.data.subarray(from, from + row), y * row);
  }
  return makePicture({ ...box, channels, depth }, data, metadata);
};

/**
 * Cuts the right and bottom rim so that both sides divide by `scale` ("modcrop").
 * @throws UserError for a picture smaller than the scale
 */
export const modcrop = (picture: Picture, scale: number): Picture => {
  const width = picture.width - (picture.width % scale);
  const height = picture.height - (picture.height % scale);
  if (!isSide(scale) || width === 0 || height === 0)
    throw userError(
      "modcrop",
      `expected a picture of at least ${scale}×${scale}, got ${picture.width}×${picture.height}`,
    );
  return width === picture.width && height === picture.height ? picture : crop(picture, { x: 0, y: 0, width, height });
};

/** Removes `margin` pixels on every side. */
export const shave = (picture: Picture, margin: number): Picture =>
  margin === 0
    ? picture
    : crop(picture, {
        x: margin,
        y: margin,
        width: picture.width - 2 * margin,
        height: picture.height - 2 * margin,
      });
