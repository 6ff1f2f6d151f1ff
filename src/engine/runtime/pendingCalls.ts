import type { Reply } from "./verbs.ts";

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Calls to a thread that wait for its replies. */
export class Calls {
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;
  #ended: Error | undefined;

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Why there will be no more replies. */
  get ended(): Error | undefined {
    return this.#ended;
  }

  /** Sends a call under a number of its own; resolves with its result. */
  make<T>(send: (call: number) => void): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    const call = this.#count++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(call, { resolve: resolve as Waiting["resolve"], reject });
      send(call);
    });
  }

  settle({ call, result, error }: Reply): void {
    const promise = this.#waiting.get(call);
    this.#waiting.delete(call);
    if (error === undefined) promise?.resolve(result);
    else promise?.reject(new Error(error));
  }

  /** Fails what waits and what comes; the first reason counts. */
  end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}
