import type { Tensors } from "../engine/index.ts";
import { userError } from "../errors.ts";
import { assertFinite, readSafetensors, writeSafetensors } from "../tensor/safetensors.ts";

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

const format = "imago checkpoint 1";

export const packCheckpoint = ({ step, state, pending }: Checkpoint): Uint8Array =>
  writeSafetensors(state, { format, step: String(step), pending: JSON.stringify(pending) });

const cure = "Put back a copy of it, or start a new run.";

/** @param where the file's path, for errors */
export function unpackCheckpoint(bytes: Uint8Array, where: string): Checkpoint {
  const { tensors, metadata } = readSafetensors(bytes, where);
  if (metadata.format !== format)
    throw userError(where, `expected a checkpoint ("${format}"), got "${metadata.format ?? "another file"}"`, cure);
  const [step, pending] = [Number(metadata.step), pendingIn(metadata.pending)];
  if (!Number.isSafeInteger(step) || step < 0 || !pending)
    throw userError(where, "expected the step and the losses since the last metrics, got something else", cure);
  assertFinite(tensors, where, cure);
  return { step, state: tensors, pending };
}

/** Undefined when the text is none that `packCheckpoint` writes. */
function pendingIn(text = ""): Pending | undefined {
  try {
    const { count, sums } = JSON.parse(text) as Pending;
    const isWhole = Number.isSafeInteger(count) && Object.values(sums).every((sum) => typeof sum === "number");
    return isWhole ? { count, sums } : undefined;
  } catch {
    return undefined;
  }
}

/** The networks' weights from a state, keyed "network/parameter": the moving averages where they were kept. */
export const weightsOf = (state: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(state)
      .filter(([name]) => name.startsWith("weights/"))
      .map(([name, value]) => {
        const key = name.slice("weights/".length);
        return [key, state[`ema/${key}`] ?? value];
      }),
  );

/** The networks' weights of a step as it stands, by `weightsOf`; moments stay where they are. */
export const readWeights = async (step: { read(prefix: string): Promise<Tensors> }): Promise<Tensors> =>
  weightsOf({ ...(await step.read("weights")), ...(await step.read("ema")) });

/** The weights of some networks only; of all unless given. */
export const pickWeights = (weights: Tensors, keep?: readonly string[]): Tensors =>
  Object.fromEntries(Object.entries(weights).filter(([key]) => !keep || keep.includes(key)));
