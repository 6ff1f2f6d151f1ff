import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import sharp from "sharp";
import { option, userError } from "../errors.ts";
import { decodeBmp, isBmp, readBmpHeader } from "../image/bmp.ts";
import { isOpaque, splitAlpha, toDepth } from "../image/channels.ts";
import { exifTexts, freshExif } from "../image/exif.ts";
import { embedExif } from "../image/exifEmbed.ts";
import {
  type Channels,
  colorsOf,
  type Depth,
  hasAlpha,
  makePicture,
  type Picture,
  type PictureMetadata,
} from "../image/picture.ts";
import { type Provenance, softwareOf } from "../image/provenance.ts";
import { checkTarget, codeOf, textOf, writeWhole } from "./atomic.ts";
import { foreignXmp, pngWith, withProvenance } from "./carry.ts";
import { formatsByEnding, type PictureFormat } from "./platform.ts";

const readable = ["jpeg", "png", "webp", "tiff", "heif", "gif"];
const kinds = "a JPEG, PNG, WebP, TIFF, AVIF, GIF or BMP picture";

export interface ReadOptions {
  /** The most pixels to decode; 2^28 (about 16384²) unless given. */
  readonly maxPixels?: number;
}

export interface EncodeOptions {
  /** Taken from the file's name unless given. */
  readonly format?: PictureFormat;
  /** 1…100 for JPEG, WebP and AVIF; 95, 90 and 80 unless given. */
  readonly quality?: number;
  /** WebP and AVIF without loss; PNG and TIFF always are. */
  readonly lossless?: boolean;
  /** Write EXIF, XMP, density and the color profile back; true unless given. */
  readonly keepMetadata?: boolean;
  /** What made the picture, to be carried by the file; nothing unless given. */
  readonly provenance?: Provenance;
}

export interface WriteOptions extends EncodeOptions {
  /** Replace a file that is already there. */
  readonly force?: boolean;
}

/** What a file's header says, before any pixel is decoded; the size is that after turning by the EXIF orientation. */
export interface PictureInfo {
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;
  readonly depth: Depth;
}

const defaultMaxPixels = 2 ** 28;

/** The format that a file's name asks for. @throws UserError for an ending that no format has */
export const formatOf = (path: string): PictureFormat => {
  const format = formatsByEnding[extname(path).toLowerCase()];
  if (!format)
    throw userError(
      path,
      `expected a name ending in ${Object.keys(formatsByEnding).join(", ")}, got "${extname(path)}"`,
    );
  return format;
};

const readBytes = async (path: string): Promise<Uint8Array> => {
  try {
    return await readFile(path);
  } catch (error) {
    const got =
      { ENOENT: "nothing with that name", EISDIR: "a folder", EACCES: "a file that may not be read" }[codeOf(error)] ??
      textOf(error);
    throw userError(path, `expected ${kinds}, got ${got}`);
  }
};

/** Runs a step of libvips and words its failure for the file's owner. */
const decoding = async <T>(where: string, step: () => Promise<T>): Promise<T> => {
  try {
    return await step();
  } catch (error) {
    if (error instanceof Error && error.name === "UserError") throw error;
    throw userError(
      where,
      `expected ${kinds}, got a file that cannot be decoded (${textOf(error)})`,
      "Is it complete?",
    );
  }
};

const openPicture = (bytes: Uint8Array) => sharp(bytes, { failOn: "error", limitInputPixels: false, animated: false });

/** Reads the header and refuses what cannot or should not be decoded. */
const inspect = async (bytes: Uint8Array, where: string, maxPixels: number) => {
  if (bytes.length === 0) throw userError(where, `expected ${kinds}, got an empty file`);
  const header = await openPicture(bytes)
    .metadata()
    .catch(() => {
      throw userError(where, `expected ${kinds}, got something else`, "Is the file complete, and its name right?");
    });
  if (!readable.includes(header.format) || (header.format === "heif" && header.compression !== "av1"))
    throw userError(where, `expected ${kinds}, got ${header.format.toUpperCase()}`, "Convert it to PNG first.");
  const { width, height } = header.autoOrient;
  checkPixels(where, width, height, maxPixels);
  return header;
};

const checkPixels = (where: string, width: number, height: number, maxPixels: number): void => {
  if (width < 1 || height < 1) throw userError(where, `expected ${kinds}, got one of ${width}×${height} pixels`);
  if (width * height > maxPixels)
    throw userError(
      where,
      `expected at most ${maxPixels} pixels, got ${width}×${height} = ${width * height}`,
      "Make it smaller, or raise the limit.",
    );
};

type Header = Awaited<ReturnType<typeof inspect>>;

const shapeOf = (header: Header): { readonly channels: Channels; readonly depth: Depth } => {
  const isGray = header.space === "b-w" || header.space === "grey16";
  const alpha = header.hasAlpha ? 1 : 0;
  return { channels: ((isGray ? 1 : 3) + alpha) as Channels, depth: header.depth === "ushort" ? 16 : 8 };
};

const metadataOf = (
  header: Header,
  size: { readonly width: number; readonly height: number },
): PictureMetadata | undefined => {
  const metadata: PictureMetadata = {
    ...(header.exif && { exif: freshExif(header.exif, size) }),
    ...(header.icc && { icc: new Uint8Array(header.icc) }),
    ...foreignXmp(header.xmp),
    ...(header.density && { density: header.density }),
  };
  return Object.keys(metadata).length > 0 ? metadata : undefined;
};

/**
 * Decodes a file's bytes: turned upright by EXIF, colors converted from the embedded profile (CMYK too) to sRGB,
 * palettes to RGB, the first frame of animations. Gray, alpha and 8 or 16 bits per sample stay as they are.
 */
export const decodePicture = async (
  bytes: Uint8Array,
  where = "picture",
  options: ReadOptions = {},
): Promise<Picture> => {
  const { maxPixels = defaultMaxPixels } = options;
  if (isBmp(bytes)) {
    const { width, height } = readBmpHeader(bytes, where);
    checkPixels(where, width, height, maxPixels);
    return decodeBmp(bytes, where);
  }
  const header = await inspect(bytes, where, maxPixels);
  const { channels, depth } = shapeOf(header);
  const space = depth === 16 ? (channels < 3 ? "grey16" : "rgb16") : channels === 1 ? "b-w" : "srgb";
  const pipeline = openPicture(bytes)
    .autoOrient()
    .toColourspace(space)
    .raw({ depth: depth === 16 ? "ushort" : "uchar" });
  const { data, info } = await decoding(where, () => pipeline.toBuffer({ resolveWithObject: true }));
  const samples = depth === 16 ? new Uint16Array(new Uint8Array(data).buffer) : new Uint8Array(data);
  const shape = { width: info.width, height: info.height, depth, channels: info.channels as Channels };
  const picture = makePicture(shape, samples, metadataOf(header, info));
  return channels < 3 && picture.channels > 2 ? dropEqualColors(picture) : picture;
};

/** Red alone for a gray picture that libvips gave three equal colors. */
const dropEqualColors = ({ width, height, depth, data, channels, metadata }: Picture): Picture => {
  const kept = channels === 4 ? [0, 3] : [0];
  const out = data.filter((_, i) => kept.includes(i % channels));
  return makePicture({ width, height, depth, channels: kept.length as Channels }, out, metadata);
};

/** Reads a picture file; see decodePicture. Every failure is a UserError that names the file. */
export const readPicture = async (source: string | Uint8Array, options: ReadOptions = {}): Promise<Picture> =>
  typeof source === "string"
    ? decodePicture(await readBytes(source), source, options)
    : decodePicture(source, "picture", options);

/** Reads a file's header only. */
export const probePicture = async (path: string): Promise<PictureInfo> => {
  const bytes = await readBytes(path);
  if (isBmp(bytes)) {
    const { width, height } = readBmpHeader(bytes, path);
    return { format: "bmp", width, height, channels: 3, depth: 8 };
  }
  const header = await inspect(bytes, path, Infinity);
  const { width, height } = header.autoOrient;
  return { format: header.format === "heif" ? "avif" : header.format, width, height, ...shapeOf(header) };
};

/** What a format can hold of a picture: JPEG no transparency, only PNG and TIFF 16 bits. */
const fitFormat = (picture: Picture, format: PictureFormat, where: string): Picture => {
  const fitted = format === "png" || format === "tiff" ? picture : toDepth(picture, 8);
  if (format !== "jpeg" || !hasAlpha(fitted)) return fitted;
  if (!isOpaque(fitted)) throw userError(where, "JPEG cannot hold transparency", "Write PNG, WebP or AVIF.");
  return splitAlpha(fitted).color;
};

/** The color profile can be written back where it is one for as many colors as the picture has. */
const fitsProfile = (picture: Picture, icc: Uint8Array): boolean =>
  String.fromCharCode(...icc.subarray(16, 20)) === (colorsOf(picture) === 1 ? "GRAY" : "RGB ");

const encoder = (picture: Picture) => {
  const { data, width, height, channels, depth } = picture;
  const space = depth === 16 ? (channels < 3 ? "grey16" : "rgb16") : channels < 3 ? "b-w" : "srgb";
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false }).toColourspace(space);
};

type Encoder = ReturnType<typeof encoder>;

const intoFormat = (
  pipeline: Encoder,
  format: PictureFormat,
  { quality, lossless = false }: EncodeOptions,
): Encoder => {
  if (format === "jpeg") return pipeline.jpeg({ quality: quality ?? 95, chromaSubsampling: "4:4:4" });
  if (format === "png") return pipeline.png();
  if (format === "webp") return pipeline.webp({ quality: quality ?? 90, lossless, exact: true });
  if (format === "tiff") return pipeline.tiff({ compression: "deflate", predictor: "horizontal" });
  return pipeline.avif({ quality: quality ?? 80, lossless, effort: 3, chromaSubsampling: "4:4:4" });
};

type Encoding = EncodeOptions & { readonly format: PictureFormat };

/** Encodes with the metadata that libvips can write itself; `profile` names a file or one of its own profiles. */
const withMetadata = (
  pipeline: Encoder,
  metadata: PictureMetadata,
  { format, provenance }: Encoding,
  profile?: string,
): Encoder => {
  let out = profile ? pipeline.withIccProfile(profile) : pipeline;
  if (metadata.xmp) out = out.withXmp(new TextDecoder().decode(metadata.xmp));
  // Where EXIF comes along it holds the density too; libvips would write an EXIF block of its own for it.
  if (metadata.density && (!metadata.exif || format === "tiff")) out = out.withDensity(metadata.density);
  if (format === "tiff") return out;
  if (metadata.exif && format === "avif") return out.withExifMerge(exifTexts(metadata.exif));
  return metadata.exif || !provenance ? out : out.withExifMerge({ IFD0: { Software: softwareOf(provenance) } });
};

/** Runs `use` with the profile in a temporary file, which is the only form libvips takes. */
const withProfileFile = async <T>(icc: Uint8Array, use: (path: string) => Promise<T>): Promise<T> => {
  const path = join(tmpdir(), `imago-${randomUUID()}.icc`);
  await writeFile(path, icc);
  try {
    return await use(path);
  } finally {
    await rm(path, { force: true });
  }
};

/** Encodes; converts the colors back to the picture's own profile where there is one that fits, else states sRGB. */
const encodeTagged = async (picture: Picture, options: Encoding): Promise<Uint8Array> => {
  const { metadata = {} } = picture;
  const encode = async (profile?: string): Promise<Uint8Array> =>
    withMetadata(intoFormat(encoder(picture), options.format, options), metadata, options, profile).toBuffer();
  if (!metadata.icc) return encode();
  const plain = colorsOf(picture) === 1 ? undefined : "srgb";
  if (!fitsProfile(picture, metadata.icc)) return encode(plain);
  return withProfileFile(metadata.icc, encode).catch(() => encode(plain));
};

/** Encodes a picture; see writePicture for what is kept. @throws UserError for what the format cannot hold, a wrong quality */
export const encodePicture = async (picture: Picture, options: Encoding, where = "picture"): Promise<Uint8Array> => {
  const { format, quality, keepMetadata = true, provenance } = options;
  if (quality !== undefined && !(Number.isInteger(quality) && quality >= 1 && quality <= 100))
    throw userError(option("quality"), `expected a whole number from 1 to 100, got ${quality}`);
  const kept = keepMetadata ? (picture.metadata ?? {}) : {};
  const metadata = provenance ? withProvenance(kept, provenance, format) : kept;
  const fitted = { ...fitFormat(picture, format, where), metadata };
  const encoded = await encodeTagged(fitted, options).catch((error: unknown) => {
    throw userError(where, `expected a picture that ${format.toUpperCase()} can hold, got ${textOf(error)}`);
  });
  const file = provenance && format === "png" ? pngWith(encoded, provenance) : encoded;
  if (!metadata.exif || format === "avif" || format === "tiff") return file;
  return embedExif(file, freshExif(metadata.exif, fitted), format, { ...fitted, hasAlpha: hasAlpha(fitted) });
};

/**
 * Writes a picture; the format is that of the name unless given. The file appears whole or not at all, and an existing
 * one is replaced only with `force`. EXIF (upright now, without its thumbnail), XMP, density and the color profile are
 * kept; AVIF keeps only EXIF's usual texts, TIFF none. JPEG refuses transparency; only PNG and TIFF hold 16 bits. With
 * `provenance` the file says what made it: a PNG by a text "imago", others in their XMP.
 */
export const writePicture = async (path: string, picture: Picture, options: WriteOptions = {}): Promise<void> => {
  const format = options.format ?? formatOf(path);
  const { force = false } = options;
  await checkTarget(path, force);
  await writeWhole(path, await encodePicture(picture, { ...options, format }, path), force);
};
