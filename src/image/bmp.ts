import { userError } from "../errors.ts";
import { makePicture, type Picture } from "./picture.ts";

/** Windows bitmap header, the fields that matter here. */
interface Header {
  readonly offset: number;
  readonly width: number;
  readonly height: number;
  readonly isTopDown: boolean;
  readonly bits: number;
  /** Colors as B, G, R, 0; empty above 8 bits. */
  readonly palette: Uint8Array;
}

export const isBmp = (bytes: Uint8Array): boolean => bytes[0] === 0x42 && bytes[1] === 0x4d;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Reads the header; throws a UserError that starts with `where` on anything but uncompressed 1, 4, 8, 24 or 32 bits.
 */
export const readBmpHeader = (bytes: Uint8Array, where: string): Header => {
  if (!isBmp(bytes) || bytes.length < 54)
    throw userError(where, "expected a BMP picture, got a file that ends in its header");
  const view = viewOf(bytes);
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  const isPlain = compression === 0 || (compression === 3 && bits === 32);
  if (!isPlain || ![1, 4, 8, 24, 32].includes(bits))
    throw userError(
      where,
      `expected an uncompressed BMP, got ${bits} bits with compression ${compression}`,
      "Save it as PNG.",
    );
  const [offset, height] = [view.getUint32(10, true), view.getInt32(22, true)];
  const start = 14 + view.getUint32(14, true);
  const colors = bits > 8 ? 0 : view.getUint32(46, true) || 2 ** bits;
  const palette = bytes.subarray(start, start + colors * 4);
  return { offset, width: view.getInt32(18, true), height: Math.abs(height), isTopDown: height < 0, bits, palette };
};

/**
 * Decodes a Windows bitmap to 8-bit RGB (a fourth channel, if any, is ignored, as viewers do).
 * @throws UserError for a file that is damaged or of a kind that is not read
 */
export const decodeBmp = (bytes: Uint8Array, where: string): Picture => {
  const { offset, width, height, isTopDown, bits, palette } = readBmpHeader(bytes, where);
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (offset + stride * height > bytes.length)
    throw userError(
      where,
      `expected ${offset + stride * height} bytes of BMP, got ${bytes.length}`,
      "The file is cut off.",
    );
  const data = new Uint8Array(width * height * 3);
  const pixel = bits > 8 ? directPixel(bytes, bits) : palettePixel(bytes, bits, palette);
  for (let y = 0, o = 0; y < height; y++) {
    const row = offset + stride * (isTopDown ? y : height - 1 - y);
    for (let x = 0; x < width; x++, o += 3) pixel(row, x, data.subarray(o, o + 3));
  }
  return makePicture({ width, height, channels: 3 }, data);
};

type ReadPixel = (row: number, x: number, rgb: Uint8Array) => void;

const directPixel =
  (bytes: Uint8Array, bits: number): ReadPixel =>
  (row, x, rgb) => {
    const i = row + (x * bits) / 8;
    for (let c = 0; c < 3; c++) rgb[c] = bytes[i + 2 - c]!;
  };

const palettePixel =
  (bytes: Uint8Array, bits: number, palette: Uint8Array): ReadPixel =>
  (row, x, rgb) => {
    const shift = 8 - bits - ((x * bits) % 8);
    const entry = ((bytes[row + ((x * bits) >> 3)]! >> shift) & (2 ** bits - 1)) * 4;
    for (let c = 0; c < 3; c++) rgb[c] = palette[entry + 2 - c] ?? 0;
  };
