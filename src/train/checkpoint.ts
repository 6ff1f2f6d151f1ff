import type { StateReader, Tensors } from "../engine/index.ts";
import { userError } from "../errors.ts";
import type { FilePart, Files } from "../platform/files.ts";
import {
  assertFinite,
  layoutOf,
  loadSafetensors,
  numbersOf,
  readHead,
  readMetadata,
  type SafetensorsFile,
} from "../tensor/safetensors.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Sums of losses since the last line of metrics. */
export interface Pending {
  readonly count: number;
  readonly sums: Readonly<Record<string, number>>;
}

/** All that a run needs to go on: everything random is a function of seed and step. */
export interface Checkpoint {
  /** The last step taken. */
  readonly step: number;
  /** What `Step.read` gave. */
  readonly state: Tensors;
  readonly pending: Pending;
}

/** A checkpoint whose state is still where it is held. */
export interface NewCheckpoint extends Pick<Checkpoint, "step" | "pending"> {
  readonly state: StateReader;
}

const format = "imago checkpoint 1";

/** The file of a checkpoint, a tensor at a time: the head first, then the state as it is read. */
export async function* partsOf({ step, state, pending }: NewCheckpoint): AsyncGenerator<FilePart, void> {
  const tensors = Object.entries(state.shapes).map(([name, shape]) => [name, { dtype: "float32", shape }] as const);
  const texts = { format, step: String(step), pending: JSON.stringify(pending) };
  const { head, offsets } = layoutOf(Object.fromEntries(tensors), texts);
  yield { at: 0, bytes: head };
  for await (const [name, value] of state.entries()) yield { at: offsets.get(name)!, bytes: numbersOf(value) };
}

const cure = "Put back a copy of it, or start a new run.";

/**
 * Reads a checkpoint, tensor by tensor.
 * @throws UserError for another file, one that is damaged, or numbers that are not finite
 */
export async function loadCheckpoint(path: string, files: Pick<Files, "readRange" | "size">): Promise<Checkpoint> {
  const size = (await files.size(path)) ?? 0;
  return checkpointIn(await loadSafetensors((begin, end) => files.readRange(path, begin, end), size, path), path);
}

/** The step of a checkpoint, from the head of its file. @throws UserError for another file */
export async function loadStep(path: string, files: Pick<Files, "readRange">): Promise<number> {
  const head = await readHead((begin, end) => files.readRange(path, begin, end));
  return progressIn(readMetadata(head, path), path).step;
}

/** A checkpoint from what its file holds. @param where the file's path, for errors */
export function checkpointIn({ tensors, metadata }: SafetensorsFile, where: string): Checkpoint {
  const progress = progressIn(metadata, where);
  assertFinite(tensors, where, cure);
  return { ...progress, state: tensors };
}

function progressIn(metadata: SafetensorsFile["metadata"], where: string): Pick<Checkpoint, "step" | "pending"> {
  if (metadata.format !== format)
    throw userError(where, `expected a checkpoint ("${format}"), got "${metadata.format ?? "another file"}"`, cure);
  const [step, pending] = [Number(metadata.step), pendingIn(metadata.pending)];
  if (!Number.isSafeInteger(step) || step < 0 || !pending)
    throw userError(where, "expected the step and the losses since the last metrics, got something else", cure);
  return { step, pending };
}

/** Undefined when the text is none that `partsOf` writes. */
function pendingIn(text = ""): Pending | undefined {
  try {
    const { count, sums } = JSON.parse(text) as Pending;
    const isWhole = Number.isSafeInteger(count) && Object.values(sums).every((sum) => typeof sum === "number");
    return isWhole ? { count, sums } : undefined;
  } catch {
    return undefined;
  }
}

/** Tensors of a state by name; all unless asked for. */
export async function readState(
  state: StateReader,
  isAsked?: (name: string) => boolean,
): Promise<Record<string, Tensor>> {
  const found: Record<string, Tensor> = {};
  for await (const [name, value] of state.entries(isAsked)) found[name] = value;
  return found;
}

/**
 * The networks' weights of a step as it stands, keyed "network/parameter": the moving averages where they are kept.
 * Moments, and weights of which an average is kept, stay where they are.
 */
export async function readWeights(state: StateReader): Promise<Tensors> {
  const keyIn = (name: string): string => name.slice(name.indexOf("/") + 1);
  const isLast = (name: string): boolean => name.startsWith("weights/") && !(`ema/${keyIn(name)}` in state.shapes);
  const found = await readState(state, (name) => name.startsWith("ema/") || isLast(name));
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [keyIn(name), value]));
}

/** The weights of some networks only; of all unless given. */
export const pickWeights = (weights: Tensors, keep?: readonly string[]): Tensors =>
  Object.fromEntries(Object.entries(weights).filter(([key]) => !keep || keep.includes(key)));
