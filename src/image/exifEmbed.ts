// Puts an EXIF block into an encoded file, for encoders that cannot be given one.

const concat = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

const ascii = (text: string): readonly number[] => Array.from(text, (letter) => letter.charCodeAt(0));
const bigEndian = (value: number): readonly number[] => [
  value >>> 24,
  (value >>> 16) & 255,
  (value >>> 8) & 255,
  value & 255,
];
const littleEndian = (value: number): readonly number[] => [...bigEndian(value)].reverse();

/** An APP1 segment right after the start marker. Blocks beyond 64 kB do not fit a segment and are left out. */
const intoJpeg = (file: Uint8Array, exif: Uint8Array): Uint8Array => {
  const length = exif.length + 8;
  if (length > 0xffff) return file;
  const head = [0xff, 0xe1, length >> 8, length & 255, ...ascii("Exif\0\0")];
  return concat(file.subarray(0, 2), head, exif, file.subarray(2));
};

/** CRC-32 of PNG chunks. */
const crc32 = (bytes: Uint8Array): number => {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
};

/** An eXIf chunk right after the header chunk (8 + 25 bytes). */
const intoPng = (file: Uint8Array, exif: Uint8Array): Uint8Array => {
  const body = concat(ascii("eXIf"), exif);
  return concat(file.subarray(0, 33), bigEndian(exif.length), body, bigEndian(crc32(body)), file.subarray(33));
};

type Canvas = { readonly width: number; readonly height: number; readonly hasAlpha: boolean };

/** An EXIF chunk at the end; a plain file first gets the extended header that allows one. */
const intoWebp = (file: Uint8Array, exif: Uint8Array, { width, height, hasAlpha }: Canvas): Uint8Array => {
  const isExtended = String.fromCharCode(...file.subarray(12, 16)) === "VP8X";
  const side = (value: number) => littleEndian(value - 1).slice(0, 3);
  const header = isExtended
    ? file.slice(12, 30)
    : concat(ascii("VP8X"), littleEndian(10), [hasAlpha ? 0x10 : 0, 0, 0, 0], side(width), side(height));
  header[8] = header[8]! | 0x08;
  const chunk = concat(ascii("EXIF"), littleEndian(exif.length), exif, exif.length % 2 === 1 ? [0] : []);
  const body = concat(ascii("WEBP"), header, file.subarray(isExtended ? 30 : 12), chunk);
  return concat(ascii("RIFF"), littleEndian(body.length), body);
};

/** An encoded JPEG, PNG or WebP file with the EXIF block (a bare TIFF block) added. */
export const embedExif = (
  file: Uint8Array,
  exif: Uint8Array,
  format: "jpeg" | "png" | "webp",
  canvas: Canvas,
): Uint8Array => {
  if (format === "jpeg") return intoJpeg(file, exif);
  return format === "png" ? intoPng(file, exif) : intoWebp(file, exif, canvas);
};
