import type { z } from "zod";
import type { RuntimeName } from "../engine/index.ts";
import type { Picture } from "../image/picture.ts";
import type { Platform } from "../platform/platform.ts";
import {
  type Inputs,
  type NamedPicture,
  type Progress,
  resultOf,
  type Takes,
  type Task,
  withTools,
} from "./common/task.ts";

/** Where a task runs. */
export interface Device {
  /** "cpu" where it is installed, else "wasm", unless given. */
  readonly runtime?: RuntimeName | undefined;
  /** All cores unless given. */
  readonly threads?: number | undefined;
}

/** Where a task runs and how it is stopped. */
export interface Running extends Device {
  readonly signal?: AbortSignal | undefined;
}

/** Where a task runs, how it is stopped, and who is told how far it is. */
export interface Followed<T extends Progress = Progress> extends Running {
  readonly onTick?: ((tick: T) => void) | undefined;
  readonly onProgress?: ((done: number, total: number, what?: string) => void) | undefined;
}

/** A picture, or the path or bytes of its file. */
export type PictureSource = Picture | string | Uint8Array;

/** Tasks' inputs as callers give them: files are read. */
export type Sources = Omit<Inputs, "picture" | "pictures"> & {
  readonly picture: PictureSource;
  readonly pictures: readonly (string | NamedPicture)[];
};

/** Arguments that may be left out when none of the options must be given. */
type Options<O> = Partial<O> extends O ? [options?: O] : [options: O];

/** What callers may say besides how a task is followed; zod's type for no options at all would allow nothing else. */
type Own<O extends z.ZodObject> = keyof O["shape"] extends never ? unknown : z.input<O>;

/** A task as a function: what it is done to, its options, and how it is followed. */
export type Bound<K> =
  K extends Task<string, infer I, infer O, infer T, infer R>
    ? I extends "nothing"
      ? (...given: Options<Own<O> & Followed<T>>) => Promise<R>
      : (source: Sources[I], ...given: Options<Own<O> & Followed<T>>) => Promise<R>
    : never;

/** Tasks as functions by name. */
export type BoundTasks<L extends readonly Task[]> = { readonly [K in L[number] as K["name"]]: Bound<K> };

/** Reads what a task is done to. */
async function opened(takes: Takes, source: unknown, { codec }: Platform): Promise<unknown> {
  if (takes === "picture")
    return typeof source === "string" || source instanceof Uint8Array ? codec.read(source) : source;
  if (takes !== "pictures") return source;
  const pictures: NamedPicture[] = [];
  for (const one of source as Sources["pictures"])
    pictures.push(typeof one === "string" ? { name: one, picture: await codec.read(one) } : one);
  return pictures;
}

/** Makes a function of a task. It throws what the task throws, and what cannot be read is a UserError. */
export function bindTask<const K extends Task>(task: K, platform: Platform): Bound<K> {
  const run = async (source: unknown, { onTick, onProgress, ...given }: Followed = {}): Promise<unknown> => {
    const { runtime: name, threads, signal, ...options } = given;
    return withTools(platform, { name, threads, signal }, async (tools) => {
      const input = (await opened(task.takes, source, platform)) as Inputs[Takes];
      return resultOf(task.run(input, options, tools), (tick) => {
        onTick?.(tick);
        onProgress?.(tick.done, tick.total, tick.what);
      });
    });
  };
  return (task.takes === "nothing" ? (options?: Followed) => run(undefined, options) : run) as Bound<K>;
}

/** Makes a function of every task of a list. */
export const bindTasks = <const L extends readonly Task[]>(tasks: L, platform: Platform): BoundTasks<L> =>
  Object.fromEntries(tasks.map((task) => [task.name, bindTask(task, platform)])) as BoundTasks<L>;
