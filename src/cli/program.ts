import { UserError, userError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import type { Command, Context } from "./command.ts";
import { exit } from "./exit.ts";
import { flagOf } from "./flags.ts";
import type { Io } from "./io.ts";

/** A command's place in the list; its code is loaded when it is asked for. */
interface Entry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
  /** What its bare name does, where that needs no flags: a command's flags take their time to load. */
  loadBare?(): Promise<(context: Pick<Context, "io" | "platform">) => Promise<number>>;
}

/** Every command. */
export const entries: readonly Entry[] = [
  {
    name: "upscale",
    summary: "enlarge pictures with a network or a classic method",
    load: async () => (await import("./commands/upscale.ts")).upscaleCommand,
  },
  {
    name: "reconstruct",
    summary: "rebuild pictures with an autoencoder; walks and maps of its codes",
    load: async () => (await import("./commands/reconstruct.ts")).reconstructCommand,
  },
  {
    name: "generate",
    summary: "make new pictures with a generator",
    load: async () => (await import("./commands/generate.ts")).generateCommand,
  },
  {
    name: "translate",
    summary: "turn a picture into another: edges into shoes, maps into photographs",
    load: async () => (await import("./commands/translate.ts")).translateCommand,
  },
  {
    name: "train",
    summary: "train a network by a recipe, or go on with a run",
    load: async () => (await import("./commands/train.ts")).trainCommand,
  },
  {
    name: "evaluate",
    summary: "score methods and networks on a folder of pictures (PSNR, SSIM)",
    load: async () => (await import("./commands/evaluate.ts")).evaluateCommand,
  },
  {
    name: "compare",
    summary: "draw a picture enlarged by several methods next to the original",
    load: async () => (await import("./commands/compare.ts")).compareCommand,
  },
  {
    name: "export",
    summary: "write a model as ONNX or safetensors",
    load: async () => (await import("./commands/export.ts")).exportCommand,
  },
  {
    name: "models",
    summary: "list the models that come along, or show one's card",
    load: async () => (await import("./commands/models.ts")).modelsCommand,
    loadBare: async () => {
      const { printModels } = await import("./commands/modelList.ts");
      return (context) => printModels(false, context);
    },
  },
  {
    name: "show",
    summary: "print what made a picture or report: task, options, models",
    load: async () => (await import("./commands/show.ts")).showCommand,
  },
  {
    name: "data",
    summary: "list and fetch data sets",
    load: async () => (await import("./commands/data.ts")).dataCommand,
  },
  {
    name: "bench",
    summary: "time training steps and forward passes on this machine",
    load: async () => (await import("./commands/bench.ts")).benchCommand,
  },
  {
    name: "demo",
    summary: "make a picture, reduce it, enlarge it by everything there is, and compare",
    load: async () => (await import("./commands/demo.ts")).demoCommand,
  },
];

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";

/** The command line: takes the arguments, returns the exit code, and writes only to `io`. */
export async function main(argv: readonly string[], io: Io, platform?: Platform): Promise<number> {
  try {
    return await dispatch(argv[0] === "help" ? [...argv.slice(1), "--help"] : argv, io, platform);
  } catch (error) {
    if (isAbort(error) || io.signal?.aborted) {
      io.err("Interrupted.\n");
      return exit.interrupted;
    }
    if (error instanceof UserError) {
      io.err(`${error.textFor(flagOf)}\n`);
      return exit.input;
    }
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    io.err(
      `${text.includes("internal:") ? "" : "internal: "}${text}\nThis is a fault of Imago's. Please report it with the lines above.\n`,
    );
    return exit.fault;
  }
}

async function dispatch(argv: readonly string[], io: Io, platform?: Platform): Promise<number> {
  const [name, ...rest] = argv;
  const entry = entries.find((one) => one.name === name);
  if (!entry) return overview(argv, io);
  const { nodePlatform } = await import("../platform/node.ts");
  const used = platform ?? nodePlatform({ warn: (text) => io.err(`${text}\n`) });
  if (rest.length === 0 && entry.loadBare) return (await entry.loadBare())({ io, platform: used });
  const [{ runCommand, Finished }, command] = await Promise.all([import("./command.ts"), entry.load()]);
  try {
    return await runCommand(command, rest, { io, platform: used });
  } catch (error) {
    if (error instanceof Finished) return exit.done;
    throw error;
  }
}

const head = `Usage: imago <command> [options]

Make and remake pictures with deep learning: train, evaluate, run and export image models with nothing but Node.

Commands:
`;

const help = (): string => {
  const width = Math.max(...entries.map(({ name }) => name.length)) + 2;
  const lines = entries.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return `${head}${lines.join("\n")}\n\nOptions:\n  -V, --version  show the version\n  -h, --help     show this help\n\n"imago <command> --help" explains a command.\n`;
};

/** What is said without a command. */
async function overview(argv: readonly string[], io: Io): Promise<number> {
  const [first] = argv;
  if (first === undefined || first === "-h" || first === "--help") {
    io.out(help());
    return exit.done;
  }
  if (first === "-V" || first === "--version") {
    const { version } = await import("../platform/version.ts");
    io.out(`${version()}\n`);
    return exit.done;
  }
  const near = entries.find(({ name }) => isNear(name, first));
  throw userError(
    "imago",
    `expected a command, got "${first}"`,
    near ? `Did you mean ${near.name}?` : "See imago --help.",
  );
}

/** At most two letters added, dropped, changed or swapped with the next. */
export function isNear(a: string, b: string): boolean {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row.at(-1)! <= 2;
}
