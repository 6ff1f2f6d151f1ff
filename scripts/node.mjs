/**
 * How esbuild bundles what Node loads; packages stay outside.
 * @satisfies {import("esbuild").BuildOptions}
 */
export const node = {
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
};

/** The runtime's thread: a file of its own, beside the one that starts it. */
export const worker = "src/engine/runtime/node.worker.ts";
