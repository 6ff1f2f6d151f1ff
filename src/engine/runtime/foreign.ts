import { userError } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { externalFiles, sourceOf } from "../onnx/externalFiles.ts";
import { type Element, elements, type FileType } from "./elements.ts";
import type { FileSource, ForeignEnd, ForeignExecutable } from "./runtime.ts";
import type { Channel, End, OpenCall, Values } from "./verbs.ts";

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
