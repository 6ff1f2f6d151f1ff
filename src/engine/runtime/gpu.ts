import { userError } from "../../errors.ts";
import type { Runtime } from "./runtime.ts";

/** Words ONNX Runtime's complaint about a missing GPU for the person who asked for one. @param cure "Use cpu." */
export const withGpuErrors = (runtime: Runtime, cure: string): Runtime =>
  runtime.name !== "webgpu"
    ? runtime
    : {
        ...runtime,
        load: (program, state) =>
          runtime.load(program, state).catch((error: unknown) => {
            if (!(error instanceof Error) || !/adapter|WebGPU is not/i.test(error.message)) throw error;
            throw userError("runtime", "expected a GPU for webgpu, got none that its driver offers", cure);
          }),
      };
