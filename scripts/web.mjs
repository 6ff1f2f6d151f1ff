/**
 * How esbuild bundles what pages load: whole files that need no bundler, for browsers that are as new as WebGPU.
 * @satisfies {import("esbuild").BuildOptions}
 */
export const web = {
  entryPoints: [
    { in: "src/web.ts", out: "web" },
    { in: "src/engine/runtime/web.worker.ts", out: "web.worker" }, // beside the file that starts it
  ],
  bundle: true,
  platform: "browser",
  format: "esm",
  target: "es2022",
  conditions: ["onnxruntime-web-use-extern-wasm"], // its threads start from its own file, not from ours
};
