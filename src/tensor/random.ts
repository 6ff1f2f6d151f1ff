/** A seeded stream of numbers: the same on every machine and runtime. */
export interface Random {
  /** 0 ≤ x < 1, 32 random bits. */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** A whole number, 0 ≤ x < bound. */
  below(bound: number): number;
}

/** Mixes words into one 32-bit word (the finalizer of MurmurHash3 over a running hash). */
export function hash(...words: readonly (number | string)[]): number {
  let h = 0x9e3779b9;
  const mix = (word: number): void => {
    h = Math.imul(h ^ word, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
  };
  for (const word of words) {
    if (typeof word === "number") {
      mix(word | 0);
      mix(Math.floor(word / 2 ** 32) | 0);
    } else for (let i = 0; i < word.length; i++) mix(word.charCodeAt(i) + 1);
  }
  return h >>> 0;
}

/**
 * A stream for the given words: `random(seed, "noise", step)` gives every step its own numbers, so that a resumed run
 * needs no saved state. The generator is sfc32 (Chris Doty-Humphrey, PractRand).
 */
export function random(...words: readonly (number | string)[]): Random {
  let [a, b, c, count] = [hash(...words, 1), hash(...words, 2), hash(...words, 3), 1];
  const next = (): number => {
    const t = (((a + b) | 0) + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  const uniform = (): number => next() / 2 ** 32;
  let spare: number | undefined;
  const normal = (): number => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log((next() + 1) / 2 ** 32)); // Box–Muller; never log 0
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return { uniform, normal, below: (bound) => Math.floor(uniform() * bound) };
}

/** The numbers 0 … count − 1 in seeded order (Fisher–Yates). */
export function permutation(count: number, source: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const j = source.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
