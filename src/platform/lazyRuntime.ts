import type { Runtime } from "../engine/index.ts";
import type { Platform, RuntimeChoice } from "./platform.ts";

/** A runtime that starts when it is first asked for. */
export interface LazyRuntime {
  get(): Promise<Runtime>;
  /** Ends it when it was started. */
  dispose(): Promise<void>;
}

export function lazyRuntime(platform: Platform, choice: RuntimeChoice = {}): LazyRuntime {
  let started: Promise<Runtime> | undefined;
  return {
    get() {
      started ??= platform.runtime(choice);
      return started;
    },
    async dispose() {
      const runtime = await started?.catch(() => undefined);
      started = undefined;
      await runtime?.dispose();
    },
  };
}
