import { createRequire } from "node:module";
import { availableParallelism, homedir, userInfo } from "node:os";
import { basename } from "node:path";
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

/** The user's name and that of the home folder; a user without an entry in the system's list has none. */
const userNames = (): readonly string[] => {
  const names = new Set([basename(homedir())]);
  try {
    names.add(userInfo().username);
  } catch {} // containers run as numbers without names
  return [...names].filter((name) => name.length > 1);
};

/** sharp is loaded when the first picture is read or written. */
const codec: Codec = {
  read: async (source) => (await import("./codec.ts")).readPicture(source),
  probe: async (path) => (await import("./codec.ts")).probePicture(path),
  write: async (path, picture, options) => (await import("./codec.ts")).writePicture(path, picture, options),
  animate: async (path, pictures, options) => (await import("./animation.ts")).writeAnimation(path, pictures, options),
  provenance: async (source) => (await import("./carry.ts")).readProvenance(source),
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
          "Cure: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node",
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
  privateNames: userNames(),
  versions: { imago: version(), node: process.versions.node },
});
