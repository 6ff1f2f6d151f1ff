import { concat, latin, littleEndian } from "./bytes.ts";
import { addPngChunk } from "./pngChunk.ts";

// Puts an EXIF block into an encoded file, for encoders that cannot be given one.

/** An APP1 segment right after the start marker. Blocks beyond 64 kB do not fit a segment and are left out. */
const intoJpeg = (file: Uint8Array, exif: Uint8Array): Uint8Array => {
  const length = exif.length + 8;
  if (length > 0xffff) return file;
  const head = [0xff, 0xe1, length >> 8, length & 255, ...latin("Exif\0\0")];
  return concat(file.subarray(0, 2), head, exif, file.subarray(2));
};

type Canvas = { readonly width: number; readonly height: number; readonly hasAlpha: boolean };

/** An EXIF chunk at the end; a plain file first gets the extended header that allows one. */
const intoWebp = (file: Uint8Array, exif: Uint8Array, { width, height, hasAlpha }: Canvas): Uint8Array => {
  const isExtended = String.fromCharCode(...file.subarray(12, 16)) === "VP8X";
  const side = (value: number) => littleEndian(value - 1).slice(0, 3);
  const header = isExtended
    ? file.slice(12, 30)
    : concat(latin("VP8X"), littleEndian(10), [hasAlpha ? 0x10 : 0, 0, 0, 0], side(width), side(height));
  header[8] = header[8]! | 0x08;
  const chunk = concat(latin("EXIF"), littleEndian(exif.length), exif, exif.length % 2 === 1 ? [0] : []);
  const body = concat(latin("WEBP"), header, file.subarray(isExtended ? 30 : 12), chunk);
  return concat(latin("RIFF"), littleEndian(body.length), body);
};

/** An encoded JPEG, PNG or WebP file with the EXIF block (a bare TIFF block) added. */
export const embedExif = (
  file: Uint8Array,
  exif: Uint8Array,
  format: "jpeg" | "png" | "webp",
  canvas: Canvas,
): Uint8Array => {
  if (format === "jpeg") return intoJpeg(file, exif);
  return format === "png" ? addPngChunk(file, "eXIf", exif) : intoWebp(file, exif, canvas);
};
