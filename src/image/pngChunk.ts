import { bigEndian, concat, latin } from "./bytes.ts";

/** CRC-32 of PNG chunks. */
const crc32 = (bytes: Uint8Array): number => {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
};

/** A PNG file with a chunk added right after the header chunk (8 + 25 bytes). @param type four letters */
export function addPngChunk(file: Uint8Array, type: string, content: Uint8Array): Uint8Array {
  const body = concat(latin(type), content);
  return concat(file.subarray(0, 33), bigEndian(content.length), body, bigEndian(crc32(body)), file.subarray(33));
}

/**
 * A PNG file with a text added under a keyword: an international text chunk (PNG, third edition, 11.3.3.4),
 * uncompressed, without language. @param keyword 1 to 79 letters of Latin-1
 */
export const addPngText = (file: Uint8Array, keyword: string, text: string): Uint8Array =>
  addPngChunk(file, "iTXt", concat(latin(keyword), [0, 0, 0, 0, 0], new TextEncoder().encode(text)));
