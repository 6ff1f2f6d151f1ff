import type { DataDescription } from "../data/source.ts";
import type { Tensors } from "../engine/index.ts";
import { option, userError } from "../errors.ts";
import type { Picture } from "../image/picture.ts";
import type { Provenance } from "../image/provenance.ts";
import { type FileContent, type Files, readText } from "../platform/files.ts";
import type { PictureWriting } from "../platform/platform.ts";
import { readHead, readMetadata, writeSafetensors } from "../tensor/safetensors.ts";
import { type Checkpoint, loadCheckpoint, loadStep, type NewCheckpoint, partsOf } from "./checkpoint.ts";
import { drawLosses, linesUpTo, type MetricLine, printLines } from "./metricLines.ts";

type Values = Readonly<Record<string, unknown>>;

/** What options.json holds: enough to repeat the run. */
export interface RunDescription {
  readonly recipe: string;
  /** Everything that decides the weights; the same on resuming. */
  readonly options: Values;
  /** What may change between sessions: intervals, device, number of steps of a schedule that does not depend on it. */
  readonly settings?: Values;
  readonly seed: number;
  readonly data: DataDescription;
  readonly versions: Readonly<Record<string, string>>;
}

export interface RunOptions {
  readonly files: Files;
  /** Encodes by the name's ending and replaces what is there. */
  writePicture(path: string, picture: Picture, options: PictureWriting): Promise<void>;
  /** What makes the pictures, to be carried by their files with the step; nothing unless given. */
  readonly made?: Provenance | undefined;
  /** Go on where an earlier session stopped. */
  readonly resume?: boolean;
}

/** The weights of a result. */
export interface ResultFile {
  /** The file's name without its ending; weights.safetensors unless given. */
  readonly name?: string;
  /** Keys of the weights, "network/parameter"; all unless given. */
  readonly keep?: readonly string[];
  /** Texts in the head of the file: format, model, options. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A run's folder, opened by this process until `close`. */
export interface Run {
  readonly folder: string;
  readonly description: RunDescription;
  /** What to go on from; absent at the start. */
  readonly checkpoint?: Checkpoint;
  /** Metrics so far. */
  readonly lines: readonly MetricLine[];
  log(line: MetricLine): Promise<void>;
  /**
   * Replaces the checkpoint in one step, reading its state while it writes, and redraws loss.png; returns the
   * checkpoint's path.
   */
  save(checkpoint: NewCheckpoint): Promise<string>;
  /** Writes samples/<step>.png, or samples/<step>-<name>.png; returns its path. */
  sample(step: number, picture: Picture, name?: string): Promise<string>;
  /** Writes weights.safetensors, or <name>.safetensors; returns its path. */
  saveWeights(weights: Tensors, metadata: Readonly<Record<string, string>>, name?: string): Promise<string>;
  /** Writes best.safetensors; returns its path. */
  saveBest(weights: Tensors, metadata: Readonly<Record<string, string>>): Promise<string>;
  /** The head and the path of best.safetensors; undefined where there is none. */
  readBest(): Promise<(Readonly<Record<string, string>> & { readonly path: string }) | undefined>;
  close(): Promise<void>;
}

const names = {
  options: "options.json",
  metrics: "metrics.jsonl",
  checkpoint: "checkpoint.safetensors",
  weights: "weights.safetensors",
  best: "best.safetensors",
  curve: "loss.png",
  lock: "run.lock",
} as const;

/** What a session that was killed may leave behind: unfinished files and locks. */
const isLeftover = (name: string): boolean => name.startsWith(names.lock) || /^\..*\.tmp$/.test(name);

/** Starts a run in a new folder, or goes on with one when `resume` is set. */
export async function openRun(folder: string, description: RunDescription, options: RunOptions): Promise<Run> {
  const { files, resume = false } = options;
  await checkFolder(folder, files, resume);
  await files.makeFolder(folder);
  const unlock = await files.lock(`${folder}/${names.lock}`);
  try {
    await clearLeftovers(folder, files);
    await compareOptions(folder, description, files);
    const checkpoint = await readCheckpoint(folder, files);
    await files.write(`${folder}/${names.options}`, `${JSON.stringify(description, null, 2)}\n`);
    const lines = await trimMetrics(folder, files, checkpoint?.step ?? 0);
    return makeRun({ folder, description, checkpoint, lines, close: unlock }, options);
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** The description of the run in a folder. @throws UserError for a folder without a run, or with a damaged one */
export async function readRun(folder: string, files: Pick<Files, "read" | "exists">): Promise<RunDescription> {
  const path = `${folder}/${names.options}`;
  if (!(await files.exists(path)))
    throw userError(folder, `expected a run with ${names.options}, got none`, "Check the name.");
  const description = descriptionIn(await readText(files, path));
  if (description) return description;
  throw userError(path, "expected the JSON that a run wrote, got something else", "Start a new run.");
}

/** Undefined when the text is none that a run wrote. */
function descriptionIn(text: string): RunDescription | undefined {
  try {
    const { recipe, options, data } = JSON.parse(text) as RunDescription;
    const isWhole = typeof recipe === "string" && [options, data].every((part) => typeof part === "object" && part);
    return isWhole ? (JSON.parse(text) as RunDescription) : undefined;
  } catch {
    return undefined;
  }
}

/** The checkpoint in a run's folder; undefined when none was written yet. */
async function readCheckpoint(folder: string, files: Files): Promise<Checkpoint | undefined> {
  const path = `${folder}/${names.checkpoint}`;
  return (await files.exists(path)) ? loadCheckpoint(path, files) : undefined;
}

/**
 * The step of the checkpoint in a run's folder; 0 when none was written yet.
 * @throws UserError for a file that is none
 */
export async function readDone(folder: string, files: Pick<Files, "readRange" | "exists">): Promise<number> {
  const path = `${folder}/${names.checkpoint}`;
  return (await files.exists(path)) ? loadStep(path, files) : 0;
}

async function checkFolder(folder: string, files: Files, resume: boolean): Promise<void> {
  const exists = await files.exists(folder);
  if (resume) {
    if (!exists) throw userError(folder, "expected a run to go on with, got no such folder", "Check the name.");
    return;
  }
  if (!exists) return;
  if (await files.exists(`${folder}/${names.options}`))
    throw userError(
      folder,
      "expected a new folder, got a run that exists",
      `Use ${option("resume")} or another folder.`,
    );
  const other = (await files.list(folder)).find(({ name }) => !isLeftover(name));
  if (other)
    throw userError(folder, `expected a new or empty folder, got one with ${other.name}`, "Use another folder.");
}

async function clearLeftovers(folder: string, files: Files): Promise<void> {
  for (const place of [folder, `${folder}/samples`]) {
    if (!(await files.exists(place))) continue;
    for (const { name } of await files.list(place))
      if (isLeftover(name) && name !== names.lock) await files.remove(`${place}/${name}`);
  }
}

/** Refuses what an earlier session was not started with. */
async function compareOptions(folder: string, description: RunDescription, files: Files): Promise<void> {
  if (await files.exists(`${folder}/${names.options}`)) checkSame(folder, await readRun(folder, files), description);
}

function checkSame(folder: string, before: RunDescription, now: RunDescription): void {
  const [a, b] = [decisive(before), decisive(now)];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !isEqual(a[key], b[key]));
  if (before.recipe === now.recipe && keys.length === 0) return;
  const print = (recipe: string, values: Values): string =>
    `${recipe} {${keys.map((key) => `${key}: ${JSON.stringify(values[key])}`).join(", ")}}`;
  throw userError(
    folder,
    `written by ${print(before.recipe, a)}, asked for ${print(now.recipe, b)}`,
    "Go on with what it was started with, or start a new run.",
  );
}

/** What must not change, as options.json would hold it. */
const decisive = ({ options, seed, data }: RunDescription): Values =>
  JSON.parse(JSON.stringify({ ...options, seed, ...data })) as Values;

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, sorted(part)]),
  );
};

/** Drops the lines of steps that will be taken again, and one that a crash cut short. */
async function trimMetrics(folder: string, files: Files, step: number): Promise<MetricLine[]> {
  const path = `${folder}/${names.metrics}`;
  const text = (await files.exists(path)) ? await readText(files, path) : "";
  const lines = linesUpTo(text, step);
  if (printLines(lines) !== text) await files.write(path, printLines(lines));
  return lines;
}

interface OpenRun {
  readonly folder: string;
  readonly description: RunDescription;
  readonly checkpoint: Checkpoint | undefined;
  readonly lines: MetricLine[];
  close(): Promise<void>;
}

function makeRun(opened: OpenRun, { files, writePicture, made }: RunOptions): Run {
  const { folder, lines, description } = opened;
  const write = async (name: string, content: FileContent): Promise<string> => {
    await files.write(`${folder}/${name}`, content);
    return `${folder}/${name}`;
  };
  const draw = (name: string, picture: Picture, step: number): Promise<void> =>
    writePicture(`${folder}/${name}`, picture, { force: true, ...(made && { provenance: { ...made, step } }) });
  return {
    ...opened,
    async log(line) {
      lines.push(line);
      await files.append(`${folder}/${names.metrics}`, printLines([line]));
    },
    async save(checkpoint) {
      const path = await write(names.checkpoint, partsOf(checkpoint));
      const curve = drawLosses(lines, description.recipe);
      if (curve) await draw(names.curve, curve, checkpoint.step);
      return path;
    },
    async sample(step, picture, name) {
      const file = `samples/${String(step).padStart(6, "0")}${name === undefined ? "" : `-${name}`}.png`;
      await files.makeFolder(`${folder}/samples`);
      await draw(file, picture, step);
      return `${folder}/${file}`;
    },
    saveWeights: (weights, metadata, name) =>
      write(name === undefined ? names.weights : `${name}.safetensors`, writeSafetensors(weights, metadata)),
    saveBest: (weights, metadata) => write(names.best, writeSafetensors(weights, metadata)),
    async readBest() {
      const path = `${folder}/${names.best}`;
      if (!(await files.exists(path))) return undefined;
      const head = await readHead((begin, end) => files.readRange(path, begin, end));
      return { ...readMetadata(head, path), path };
    },
  };
}
