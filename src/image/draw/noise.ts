/** A repeatable random number 0…1 for a whole place (x, y) and a seed; the same on every machine. */
export const hash = (x: number, y: number, seed: number): number => {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
};

const smooth = (t: number): number => t * t * (3 - 2 * t);
const mix = (a: number, b: number, t: number): number => a + (b - a) * t;

/** Value noise 0…1 with one cell per unit. */
export const noise = (x: number, y: number, seed: number): number => {
  const [i, j] = [Math.floor(x), Math.floor(y)];
  const [u, v] = [smooth(x - i), smooth(y - j)];
  const upper = mix(hash(i, j, seed), hash(i + 1, j, seed), u);
  return mix(upper, mix(hash(i, j + 1, seed), hash(i + 1, j + 1, seed), u), v);
};

/** Noise at `octaves` scales, each half as large and `gain` times as strong; 0…1. */
export const fractal = (x: number, y: number, seed: number, octaves = 5, gain = 0.5): number => {
  let [sum, total, strength, scale] = [0, 0, 1, 1];
  for (let k = 0; k < octaves; k++) {
    sum += strength * noise(x * scale, y * scale, seed + k);
    total += strength;
    strength *= gain;
    scale *= 2;
  }
  return sum / total;
};

/** A seeded stream of numbers 0…1 (mulberry32). */
export const makeRandom = (seed: number): (() => number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};
