/** float16 bits to a number: IEEE 754 binary16. */
export const fromHalf = (bits: number): number => {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

/**
 * The nearest float16 of a number, as bits; of two that are equally near the even one. Beyond 65,519 it is infinite.
 */
export const toHalf = (value: number): number => {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  const exponent = Math.min(16, Math.max(-14, Math.floor(Math.log2(size))));
  const scaled = size * 2 ** (10 - exponent); // 1024 … 2047, or less for the smallest
  const low = Math.floor(scaled);
  const rest = scaled - low;
  const rounded = low + (rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? 1 : 0);
  // The fraction that overflows raises the exponent by itself.
  return sign | Math.min(0x7c00, (exponent + 14) * 1024 + rounded);
};
