import { permutation, random } from "../tensor/random.ts";

export interface WindowOptions {
  /** Pictures in all. */
  readonly count: number;
  /** Pictures at a time. */
  readonly size: number;
  /** Steps that one window serves. */
  readonly steps: number;
  readonly batch: number;
  readonly seed: number;
}

/** Which pictures each step takes: a pure function of seed and step. */
export interface Windows {
  /** Number of the window that serves a step. */
  of(step: number): number;
  /** The pictures of a window. */
  members(window: number): readonly number[];
  /** The pictures of a step's patches. */
  picks(step: number): readonly number[];
}

/**
 * Every epoch's own order of all pictures is cut into windows of about equal size, and each window serves its steps. In
 * a window the pictures take turns in an order of their own for every round.
 */
export function makeWindows({ count, size, steps, batch, seed }: WindowOptions): Windows {
  const perEpoch = Math.ceil(count / size);
  const order = latest((epoch: number) => permutation(count, random(seed, "window order", epoch)));
  const members = latest((window: number): readonly number[] => {
    const part = window % perEpoch;
    const cut = (at: number): number => Math.floor((at * count) / perEpoch);
    return Array.from(order(Math.floor(window / perEpoch)).subarray(cut(part), cut(part + 1)));
  });
  const of = (step: number): number => (perEpoch === 1 ? 0 : Math.floor((step - 1) / steps));
  const turn = latest((key: string, length: number) => permutation(length, random(seed, "turns", key)));
  return {
    of,
    members,
    picks(step) {
      const window = of(step);
      const inside = members(window);
      const first = (perEpoch === 1 ? step - 1 : (step - 1) % steps) * batch;
      return Array.from({ length: batch }, (_, i) => {
        const round = Math.floor((first + i) / inside.length);
        return inside[turn(`${window}.${round}`, inside.length)[(first + i) % inside.length]!]!;
      });
    },
  };
}

/** Remembers the last few results of a function, by its first argument. */
function latest<K, A extends readonly unknown[], V>(make: (key: K, ...rest: A) => V): (key: K, ...rest: A) => V {
  const known = new Map<K, V>();
  return (key, ...rest) => {
    if (!known.has(key)) {
      if (known.size > 3) known.delete(known.keys().next().value!);
      known.set(key, make(key, ...rest));
    }
    return known.get(key)!;
  };
}

/** Loads things by number, keeps those wanted, and fetches ahead one at a time in the background. */
export interface Pool<T> {
  get(index: number): Promise<T>;
  /** Drops all but these and fetches those that are missing, in this order. */
  want(indices: readonly number[]): void;
}

const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

export function makePool<T>(load: (index: number) => Promise<T>): Pool<T> {
  const held = new Map<number, Promise<T>>();
  let wanted: readonly number[] = [];
  let isBusy = false;
  const get = (index: number): Promise<T> => {
    const found = held.get(index) ?? load(index);
    held.set(index, found);
    return found;
  };
  const fill = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    for (;;) {
      const next = wanted.find((index) => !held.has(index));
      if (next === undefined) break;
      await get(next).catch(() => undefined); // reported to whoever asks for it
      await breathe(); // the training step goes first
    }
    isBusy = false;
  };
  return {
    get,
    want(indices) {
      wanted = indices;
      const kept = new Set(indices);
      for (const index of held.keys()) if (!kept.has(index)) held.delete(index);
      void fill();
    },
  };
}
