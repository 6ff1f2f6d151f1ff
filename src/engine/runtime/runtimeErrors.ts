import { userError } from "../../errors.ts";
import type { Runtime } from "./runtime.ts";

/** A complaint of ONNX Runtime, and how it is put for the person who can mend it. */
export interface Wording {
  readonly complaint: RegExp;
  readonly what: string;
  readonly cure: string;
}

/** @param cure "Use cpu." */
export const noGpu = (cure: string): Wording => ({
  complaint: /adapter|WebGPU is not/i,
  what: "expected a GPU for webgpu, got none that its driver offers",
  cure,
});

/** A runtime that puts what keeps a program or file from being loaded in the words given. */
export function withWords(runtime: Runtime, wordings: readonly Wording[]): Runtime {
  const inWords = (error: unknown): never => {
    const found = wordings.find(({ complaint }) => error instanceof Error && complaint.test(error.message));
    throw found ? userError("runtime", found.what, found.cure) : error;
  };
  return {
    ...runtime,
    load: (...program) => runtime.load(...program).catch(inWords),
    open: (source) => runtime.open(source).catch(inWords),
  };
}
