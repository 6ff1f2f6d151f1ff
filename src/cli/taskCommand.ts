import { z } from "zod";
import type { Provenance } from "../image/provenance.ts";
import { type Inputs, type Progress, resultOf, type Takes, type Task, withTools } from "../tasks/common/task.ts";
import {
  type Argument,
  type Command,
  type Context,
  defineCommand,
  jsonOption,
  runtimeChoice,
  runtimeOptions,
} from "./command.ts";
import { exit } from "./exit.ts";
import { statusLine } from "./io.ts";

/** What flags say of the runtime. */
type Choice = Parameters<typeof runtimeChoice>[0];

/** What a task is given on the command line. */
interface Asked<I extends Takes, O extends z.ZodObject> {
  readonly input: Inputs[I];
  readonly options: z.input<O>;
  readonly choice: Choice;
}

/** "3/10  baboon", for the status line. */
const progressText = ({ done, total, what }: Progress): string =>
  [total > 1 && `${done}/${total}`, what].filter(Boolean).join("  ");

/** Runs a task with a runtime of its own; the status line tells how far it is, and so may `onTick`. */
export async function runTask<N extends string, I extends Takes, O extends z.ZodObject, T extends Progress, R>(
  task: Task<N, I, O, T, R>,
  { input, options, choice }: Asked<I, O>,
  { io, platform }: Pick<Context, "io" | "platform">,
  onTick?: (tick: T) => void,
): Promise<R> {
  const status = statusLine(io);
  const told = (tick: T): void => {
    status.show(progressText(tick));
    onTick?.(tick);
  };
  return withTools(platform, { ...runtimeChoice(choice), signal: io.signal }, (tools) =>
    resultOf(task.run(input, options, tools), told).finally(status.clear),
  );
}

/** How a task is told on the command line: what is named there, and how the result is written and printed. */
interface Face<I extends Takes, O extends z.ZodObject, T extends Progress, R, E extends z.ZodRawShape, P> {
  /** The task's own unless given. */
  readonly name?: string;
  readonly summary?: string;
  readonly arguments?: readonly Argument[];
  /** Whether outputs say what made them: the task and all its options. */
  readonly isRecorded?: boolean;
  /** Flags of the command besides the task's options and those of the runtime. */
  readonly flags: E;
  readonly examples: readonly string[];
  /** Checks where results go, before any work; what it returns is handed to `show`. */
  plan?(args: readonly string[], options: z.output<O> & z.output<z.ZodObject<E>>, context: Context): Promise<P>;
  /** What the task is done to. */
  input(args: readonly string[], context: Context): Inputs[I] | Promise<Inputs[I]>;
  onTick?(tick: T, context: Context): void;
  /** Writes and prints. `made` tells what made the result: for every file that is written. */
  show(
    result: R,
    options: z.output<O> & z.output<z.ZodObject<E>>,
    context: Context & { readonly plan: P; made(): Promise<Provenance | undefined> },
  ): Promise<void>;
}

/** Makes a command of a task. */
export function taskCommand<
  N extends string,
  I extends Takes,
  O extends z.ZodObject,
  T extends Progress,
  R,
  E extends z.ZodRawShape,
  P = undefined,
>(task: Task<N, I, O, T, R>, face: Face<I, O, T, R, E, P>): Command {
  type All = z.output<O> & z.output<z.ZodObject<E>>;
  return defineCommand({
    name: face.name ?? task.name,
    summary: face.summary ?? task.summary,
    arguments: face.arguments ?? [],
    options: z.object({ ...task.options.shape, ...face.flags }) as z.ZodObject,
    examples: face.examples,
    isRecorded: face.isRecorded ?? false,
    async run(args, given, context) {
      const all = given as All;
      const plan = (await face.plan?.(args, all, context)) as P;
      const input = await face.input(args, context);
      const own = Object.fromEntries(Object.entries(given).filter(([name]) => name in task.options.shape));
      const asked = { input, options: own as z.input<O>, choice: given as Choice };
      const result = await runTask(task, asked, context, (tick) => face.onTick?.(tick, context));
      await face.show(result, all, { ...context, plan, made: () => context.record(own) });
      return exit.done;
    },
  });
}

/** Flags of every command that runs networks and prints a result. */
export const runFlags = { ...runtimeOptions, ...jsonOption };
