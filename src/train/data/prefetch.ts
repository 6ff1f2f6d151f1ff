import type { Tensors } from "../../engine/index.ts";
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
  /** Seconds that the taker had to wait. */
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

/** Batches in order, the next ones being made while one is used. Ends early, and at once, when the signal aborts. */
export async function* prefetch(
  source: Pick<DataSource, "batch">,
  options: PrefetchOptions,
): AsyncGenerator<Fetched, void> {
  const { from, to, depth = 2, signal, now = () => performance.now() } = options;
  const queue: Promise<Tensors>[] = [];
  for (let step = from; step <= to && !signal?.aborted; step++) {
    for (let next = step + queue.length; next <= Math.min(to, step + depth); next++) {
      const batch = source.batch(next);
      batch.catch(() => undefined); // reported when its turn comes
      queue.push(batch);
    }
    const start = now();
    const tensors = await unlessAborted(queue.shift()!, signal);
    if (!tensors) return;
    yield { step, tensors, waited: (now() - start) / 1000 };
  }
}
