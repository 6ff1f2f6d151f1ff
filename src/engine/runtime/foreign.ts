import { userError } from "../../errors.ts";
import type { DType, Tensor } from "../../tensor/tensor.ts";
import { externalFiles, sourceOf } from "../onnx/externalFiles.ts";
import { type Element, elements, type FileType } from "./elements.ts";
import type { Tensors } from "./runtime.ts";
import type { Channel, End, OpenCall, Values } from "./verbs.ts";

/** Where an ONNX file is, with its weights inside or beside it. */
export type FileSource =
  /** A file; in a page its address. Weights beside it are found by their names. */
  | { readonly path: string }
  /** `external`: what lies beside the file, by the names that it calls it. */
  | { readonly bytes: Uint8Array; readonly external?: Readonly<Record<string, Uint8Array>> };

/** An input or output of a model file. */
export interface ForeignEnd {
  readonly name: string;
  /** What it is here: the file's float16 and float64 are float32, its whole numbers int64. */
  readonly dtype: DType;
  /** What it is in the file. */
  readonly type: FileType;
  /** The name of a side that is free, "" where it has none. Empty also where the file does not tell. */
  readonly shape: readonly (number | string)[];
}

/** An ONNX file as it is, loaded to be run: no graph of ours, so any operator that the runtime has. */
export interface ForeignExecutable {
  readonly inputs: readonly ForeignEnd[];
  readonly outputs: readonly ForeignEnd[];
  /**
   * Runs once. Returns the outputs named in `fetch` (all when absent).
   * @throws UserError when an input is missing, has another element type, or holds a whole number that its type in the file has not
   */
  run(feeds: Tensors, fetch?: readonly string[]): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}

/** A file in memory, with those of its files that it asks for. @throws UserError when one is missing */
export function openCallOf({ bytes, external = {} }: Extract<FileSource, { bytes: unknown }>, where: string): OpenCall {
  const names = externalFiles(sourceOf(bytes), where);
  const missing = names.find((name) => !external[name]);
  if (missing !== undefined)
    throw userError(
      where,
      `expected the bytes of "${missing}", where it keeps numbers, got none`,
      "Give them as `external`, by that name.",
    );
  return { model: bytes, external: Object.fromEntries(names.map((name) => [name, external[name]!])) };
}

/** @param where the name of the file, for errors */
function endOf({ name, type, shape }: End, where: string): ForeignEnd {
  const element = elements[type as FileType] as Element | undefined;
  if (!element) throw userError(`${where} › ${name}`, `expected numbers or booleans, got the element type ${type}`);
  return { name, dtype: element.dtype, type: type as FileType, shape };
}

function fed({ name, dtype, type }: ForeignEnd, value: Tensor | undefined): Values[string] {
  if (!value) throw userError(`input ${name}`, "expected a tensor, got none");
  if (value.dtype !== dtype)
    throw userError(`input ${name}`, `expected ${dtype} (${type} in the file), got ${value.dtype}`);
  return { dtype: type, shape: value.shape, data: elements[type].toFile(value.data, `input ${name}`) };
}

const returned = ({ dtype, type }: ForeignEnd, { shape, data }: Values[string]): Tensor => ({
  dtype,
  shape,
  data: elements[type].toOurs(data),
});

/** Opens a model file at the other end of a channel. @param where the name of the file, for errors */
export async function openForeign(
  channel: Channel,
  id: number,
  request: OpenCall,
  where: string,
): Promise<ForeignExecutable> {
  const ends = await channel.call("open", id, request);
  const dispose = (): Promise<void> => channel.call("release", id, {});
  try {
    const [inputs, outputs] = [ends.inputs, ends.outputs].map((list) => list.map((end) => endOf(end, where))) as [
      ForeignEnd[],
      ForeignEnd[],
    ];
    const byName = new Map(outputs.map((end) => [end.name, end]));
    return {
      inputs,
      outputs,
      async run(feeds, fetch = outputs.map(({ name }) => name)) {
        const given = Object.fromEntries(inputs.map((end) => [end.name, fed(end, feeds[end.name])]));
        const buffers = Object.values(given).map(({ data }) => data.buffer as ArrayBuffer);
        const made = await channel.call("run", id, { feeds: given, fetch }, buffers);
        return Object.fromEntries(fetch.map((name) => [name, returned(byName.get(name)!, made[name]!)]));
      },
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
