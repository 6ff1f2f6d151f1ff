import type { z } from "zod";
import type { Picture } from "../../image/picture.ts";
import type { LoadedModel } from "../../modelFiles/model.ts";
import { checkOptions } from "../../options/schema.ts";
import { type LazyRuntime, lazyRuntime } from "../../platform/lazyRuntime.ts";
import type { Platform, RuntimeChoice } from "../../platform/platform.ts";
import type { RecipeDefinition } from "../../recipes/index.ts";

/** A picture and what it is called in results. */
export interface NamedPicture {
  readonly name: string;
  readonly picture: Picture;
}

/** What tasks are done to, besides their options. */
export interface Inputs {
  readonly nothing: undefined;
  readonly picture: Picture;
  readonly pictures: readonly NamedPicture[];
  /** A model, or the name, file or run's folder of one. */
  readonly model: LoadedModel | string;
  /** A recipe, or the name of one that is shipped. */
  readonly recipe: RecipeDefinition | string;
  /** The folder of a run, or the folder with the recipe of one's own that it was started with. */
  readonly run: string | { readonly folder: string; readonly recipe: RecipeDefinition };
  /** A file's path, or its bytes. */
  readonly file: string | Uint8Array;
}
export type Takes = keyof Inputs;

/** What comes of a task: how a front end shows it. */
export type Gives = "picture" | "pictures" | "sheet" | "figures" | "file" | "run" | "record";

/** How far a task is. Plain JSON but for the preview, so that it can be sent and queued. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** What was just done, for people. */
  readonly what?: string;
  /** What it looks like so far. */
  readonly preview?: Picture;
}

/** What a task works with. */
export interface TaskTools {
  readonly platform: Platform;
  /** Started when the task first asks for it; whoever made it disposes it. */
  readonly runtime: LazyRuntime;
  /** What `runtime` was asked for. */
  readonly choice: RuntimeChoice;
  /** Looked at between the parts of the work. */
  readonly signal?: AbortSignal | undefined;
}

/** A verb of this package as data: a front end makes a command, a request or a form of it. */
export interface Task<
  N extends string = string,
  I extends Takes = Takes,
  O extends z.ZodObject = z.ZodObject,
  T extends Progress = Progress,
  R = unknown,
> {
  readonly name: N;
  /** One sentence. */
  readonly summary: string;
  readonly takes: I;
  /** All options, with what they are unless given. */
  readonly options: O;
  readonly gives: Gives;
  /**
   * Does the work: yields how far it is, returns what came of it. Leaving early ends the work.
   * @throws UserError for options or an input that do not fit; the signal's reason when it is aborted
   */
  run(input: Inputs[I], options: z.input<O>, tools: TaskTools): AsyncGenerator<T, R, void>;
}

/** A task whose options have been checked and completed. */
type Definition<N extends string, I extends Takes, O extends z.ZodObject, T extends Progress, R> = Omit<
  Task<N, I, O, T, R>,
  "run"
> & { run(input: Inputs[I], options: z.output<O>, tools: TaskTools): AsyncGenerator<T, R, void> };

/** Defines a task. Its `run` is handed checked options: "upscale › tile: expected …" names what is wrong. */
export const defineTask = <const N extends string, const I extends Takes, O extends z.ZodObject, T extends Progress, R>(
  definition: Definition<N, I, O, T, R>,
): Task<N, I, O, T, R> => ({
  ...definition,
  async *run(input, options, tools) {
    const checked = checkOptions(definition.options, options, (name) => `${definition.name} › ${name}`);
    tools.signal?.throwIfAborted();
    return yield* definition.run(input, checked, tools);
  },
});

/** Lets a task run to its end. @param onTick is told how far it is */
export async function resultOf<T, R>(ticks: AsyncGenerator<T, R, void>, onTick?: (tick: T) => void): Promise<R> {
  for (;;) {
    const { done, value } = await ticks.next();
    if (done) return value;
    onTick?.(value);
  }
}

/** Runs something with tools of its own; their runtime ends with it. */
export async function withTools<R>(
  platform: Platform,
  { signal, ...choice }: RuntimeChoice & { readonly signal?: AbortSignal | undefined },
  run: (tools: TaskTools) => Promise<R>,
): Promise<R> {
  const runtime = lazyRuntime(platform, choice);
  try {
    return await run({ platform, runtime, choice, signal });
  } finally {
    await runtime.dispose();
  }
}

/**
 * Work that tells how far it is by a callback, as ticks. Leaving early aborts the signal that the work is handed.
 * @throws whatever the work throws
 */
export async function* ticksOf<T, R>(
  signal: AbortSignal | undefined,
  work: (tell: (tick: T) => void, signal: AbortSignal) => Promise<R>,
): AsyncGenerator<T, R, void> {
  const left = new AbortController();
  const told: T[] = [];
  let [isOver, wake] = [false, (): void => {}];
  const tell = (tick: T): void => {
    told.push(tick);
    wake();
  };
  const result = work(tell, signal ? AbortSignal.any([signal, left.signal]) : left.signal).finally(() => {
    isOver = true;
    wake();
  });
  result.catch(() => {}); // told where it is awaited
  try {
    while (!isOver || told.length > 0) {
      const tick = told.shift();
      if (tick !== undefined) yield tick;
      else if (!isOver)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    return await result;
  } finally {
    left.abort();
    await result.catch(() => undefined);
  }
}
