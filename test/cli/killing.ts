import { execFile, spawn } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { writePicture } from "../../src/platform/codec.ts";
import { random } from "../../src/tensor/random.ts";
import { photograph } from "../tasks/support.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The command line, compiled into a folder of its own, with pictures in data/ beside it. */
export interface Workshop {
  readonly folder: string;
  at(...names: string[]): string;
  /** Starts the command line; `as` is a user's number. */
  start(argv: readonly string[], options?: { readonly as?: number }): Session;
  remove(): Promise<void>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface Session {
  readonly ended: Promise<Ended>;
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Waits for so many lines of progress; false when it ended before. */
  steps(count: number): Promise<boolean>;
}

export async function openWorkshop(pictures = 5): Promise<Workshop> {
  const folder = await mkdtemp(join(tmpdir(), "imago-robust-"));
  await chmod(folder, 0o755); // other users run it, too
  const at = (...names: string[]): string => join(folder, ...names);
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const argv = ["-p", "tsconfig.build.json", "--outDir", at("dist"), "--declaration", "false"];
  // What others are changing at the moment may not type-check; it is emitted all the same.
  await promisify(execFile)(process.execPath, [compiler, ...argv, "--emitDeclarationOnly", "false"], {
    cwd: root,
  }).catch(() => {});
  await symlink(join(root, "node_modules"), at("node_modules"));
  await copyFile(join(root, "package.json"), at("package.json"));
  for (const name of ["data", "home"]) await mkdir(at(name));
  for (let i = 0; i < pictures; i++) await writePicture(at(`data/${i}.png`), photograph(80, 64, i));
  return {
    folder,
    at,
    start: (words, { as } = {}) => startSession([at("dist/cli/main.js"), ...words], folder, as),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function startSession(argv: readonly string[], cwd: string, as?: number): Session {
  // Without what would keep ONNX Runtime from writing into the home folder by itself.
  const { CI: _, XDG_CACHE_HOME: __, ORT_DISABLE_TELEMETRY: ___, ...env } = process.env;
  const user = as === undefined ? {} : { uid: as, gid: as };
  const child = spawn(process.execPath, argv, { cwd, env: { ...env, HOME: join(cwd, "home") }, ...user });
  let [out, err, isOver] = ["", "", false];
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  child.stdout.on("data", (data) => {
    out += data;
  });
  child.stderr.on("data", (data) => {
    err += data;
    tell();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      isOver = true;
      tell();
      resolve({ code, signal, out, err });
    });
  });
  return {
    ended,
    pid: child.pid!,
    kill: (signal) => void child.kill(signal),
    steps: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          const isThere = (err.match(/^step \d+\/.*\n/gm)?.length ?? 0) >= count;
          if (!isThere && !isOver) return;
          listeners.delete(look);
          resolve(isThere);
        };
        listeners.add(look);
        look();
      }),
  };
}

/** Arguments of a small training that saves every five steps. */
export const training = (run: string, steps: number): string[] =>
  `train srcnn --form 9-1-5 --patch 16 --batch 4 --seed 3 --threads 1 --log 1 --save 5 --sample 25 --steps ${steps} --data data --run ${run}`.split(
    " ",
  );

/** All files of a run, without what the clock decides. */
export async function contentsOf(run: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(run, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) continue;
    const content = await readFile(path);
    const isMetrics = entry.name === "metrics.jsonl";
    found[relative(run, path)] = isMetrics ? JSON.stringify(metricsIn(content.toString())) : content.toString("base64");
  }
  return found;
}

/** The whole lines; a full disk may have cut the last one short. */
export const metricsIn = (text: string): readonly Readonly<Record<string, unknown>>[] =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const { picturesPerSecond: _, waiting: __, ...rest } = JSON.parse(line) as Record<string, unknown>;
      return rest;
    });

export interface Killing {
  readonly kills: number;
  readonly steps: number;
  readonly seed: number;
}

/** What became of a training that was killed again and again. */
export interface Survival {
  /** Steps that were in the metrics when each kill came. */
  readonly reached: readonly number[];
  readonly last: Ended;
}

/**
 * Trains, and kills the process at moments drawn from the seed: one in four anywhere from its start on, the others some
 * milliseconds after a few steps. Each session goes on where the last was killed; the one after the last kill ends by itself.
 */
export async function trainKilled(shop: Workshop, run: string, { kills, steps, seed }: Killing): Promise<Survival> {
  const draw = random(seed, "kill");
  const reached: number[] = [];
  for (let kill = 0; kill <= kills; kill++) {
    const isBegun = await readFile(shop.at(run, "options.json")).then(
      () => true,
      () => false, // killed before it wrote anything; the same command starts it again
    );
    const session = shop.start(isBegun ? ["train", "--resume", run] : training(run, steps));
    if (kill === kills) return { reached, last: await session.ended };
    if (draw.below(4) === 0) await sleep(draw.below(800));
    else {
      await session.steps(1 + draw.below(Math.floor(steps / kills) - 4));
      await sleep(draw.below(25));
    }
    session.kill("SIGKILL");
    const { signal, err } = await session.ended;
    if (signal !== "SIGKILL") throw new Error(`it ended before it was killed:\n${err}`);
    const metrics = await readFile(shop.at(run, "metrics.jsonl"), "utf8").catch(() => "");
    reached.push(metrics.split("\n").length - 1);
  }
  throw new Error("unreachable");
}
