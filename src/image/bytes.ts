/** Parts one after the other. */
export const concat = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

/** The bytes of a text whose characters are all below 256. */
export const latin = (text: string): readonly number[] => Array.from(text, (letter) => letter.charCodeAt(0));

/** Four bytes, the highest first. */
export const bigEndian = (value: number): readonly number[] => [
  value >>> 24,
  (value >>> 16) & 255,
  (value >>> 8) & 255,
  value & 255,
];

/** Four bytes, the lowest first. */
export const littleEndian = (value: number): readonly number[] => [...bigEndian(value)].reverse();
