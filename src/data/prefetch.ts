import type { Tensors } from "../engine/index.ts";
import type { DataSource } from "./source.ts";

export interface PrefetchOptions {
  /** First and last step, both included. */
  readonly from: number;
  readonly to: number;
  /** Batches under way while one is being used. */
  readonly depth?: number;
  readonly signal?: AbortSignal;
  /** Milliseconds from any origin. */
  readonly now?: () => number;
}

export interface Fetched {
  readonly step: number;
  readonly tensors: Tensors;
  /** Seconds that the taker had to wait, for a batch under way or while its making held this thread. */
  readonly waited: number;
}

/** The value of a promise; undefined as soon as the signal aborts. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(undefined);
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/**
 * Batches in order. The next ones are begun when the taker has gone to work with one, so that making them, which holds
 * this thread, does not hold the taker up. Ends early, and at once, when the signal aborts.
 */
export async function* prefetch(
  source: Pick<DataSource, "batch">,
  options: PrefetchOptions,
): AsyncGenerator<Fetched, void> {
  const { from, to, depth = 2, signal, now = () => performance.now() } = options;
  const queue: Promise<Tensors>[] = [];
  let asked = from;
  const ask = (last: number): void => {
    for (; asked <= Math.min(to, last); asked++) {
      const batch = source.batch(asked);
      batch.catch(() => undefined); // reported when its turn comes
      queue.push(batch);
    }
  };
  try {
    for (let step = from; step <= to && !signal?.aborted; step++) {
      const start = now();
      ask(step);
      const tensors = await unlessAborted(queue.shift()!, signal);
      if (!tensors) return;
      const waited = (now() - start) / 1000;
      setTimeout(ask, 0, step + depth);
      yield { step, tensors, waited };
    }
  } finally {
    asked = Infinity; // no more, whatever is still to be begun
  }
}
