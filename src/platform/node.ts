import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { RuntimeName } from "../engine/index.ts";
import { userError } from "../errors.ts";
import { checkTarget } from "./atomic.ts";
import { nodeFiles } from "./nodeFiles.ts";
import type { Codec, Platform } from "./platform.ts";
import { version } from "./version.ts";

const require = createRequire(import.meta.url);

export interface NodePlatformOptions {
  /** Told when something runs otherwise than asked; a sentence. */
  readonly warn?: (text: string) => void;
  /** Whether a package can be loaded; looked up unless given. */
  readonly isInstalled?: (library: string) => boolean;
}

const canResolve = (library: string): boolean => {
  try {
    require.resolve(library);
    return true;
  } catch {
    return false;
  }
};

const libraries: Readonly<Partial<Record<RuntimeName, string>>> = {
  cpu: "onnxruntime-node",
  webgpu: "onnxruntime-node",
  wasm: "onnxruntime-web",
};

const install = (name: RuntimeName, library: string): Error =>
  userError(
    "runtime",
    `expected ${name} with ${library} installed, got no such package`,
    `Run npm install ${library}.`,
  );

/** sharp is loaded when the first picture is read or written. */
const codec: Codec = {
  read: async (source) => (await import("./codec.ts")).readPicture(source),
  probe: async (path) => (await import("./codec.ts")).probePicture(path),
  write: async (path, picture, options) => (await import("./codec.ts")).writePicture(path, picture, options),
  animate: async (path, pictures, options) => (await import("./animation.ts")).writeAnimation(path, pictures, options),
};

/** Node on this machine: sharp for pictures, ONNX Runtime for networks, the local disk. */
export const nodePlatform = ({ warn = () => {}, isInstalled = canResolve }: NodePlatformOptions = {}): Platform => ({
  async runtime({ name, threads } = {}) {
    const chosen = name ?? (isInstalled("onnxruntime-node") ? "cpu" : "wasm");
    const library = libraries[chosen];
    if (library && !isInstalled(library)) throw install(chosen, library);
    if (!name && chosen === "wasm")
      warn(
        "onnxruntime-node is not installed: networks run on WebAssembly, several times slower. " +
          "Cure: npm install onnxruntime-node --onnxruntime-node-install=skip",
      );
    // with the engine, which lists need not wait for
    const { createRuntime } = await import("../engine/runtime/node.ts");
    return createRuntime(chosen, { threads });
  },
  threads: availableParallelism(),
  peakMB: () => process.resourceUsage().maxRSS / 1024,
  codec,
  files: nodeFiles,
  models: fileURLToPath(new URL("../../models", import.meta.url)),
  checkTarget,
  versions: { imago: version(), node: process.versions.node },
});
