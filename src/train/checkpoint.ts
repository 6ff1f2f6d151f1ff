import type { Tensors } from "../engine/index.ts";
import { userError } from "../errors.ts";
import { readSafetensors, writeSafetensors } from "../tensor/safetensors.ts";

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

/** @param where the file's path, for errors */
export function unpackCheckpoint(bytes: Uint8Array, where: string): Checkpoint {
  const { tensors, metadata } = readSafetensors(bytes, where);
  const step = Number(metadata.step);
  if (metadata.format !== format || !Number.isSafeInteger(step) || step < 0 || metadata.pending === undefined)
    throw userError(where, `expected a checkpoint ("${format}"), got "${metadata.format ?? "another file"}"`);
  return { step, state: tensors, pending: JSON.parse(metadata.pending) as Pending };
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
