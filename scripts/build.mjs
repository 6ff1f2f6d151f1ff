// Makes dist/: types by the TypeScript compiler, code bundled and shrunk by esbuild so that the package stays small.
import { spawnSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
const typed = spawnSync("npx", ["tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
if (typed.status !== 0) process.exit(typed.status ?? 1);
await build({
  entryPoints: [
    { in: "src/index.ts", out: "index" },
    { in: "src/node.ts", out: "node" },
    { in: "src/cli/main.ts", out: "cli/main" },
    { in: "src/engine/runtime/node.worker.js", out: "lib/node.worker" }, // beside the chunk that starts it
  ],
  outdir: "dist",
  chunkNames: "lib/[name]-[hash]", // two folders deep, as the sources that look for package.json and models/
  bundle: true,
  splitting: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  minify: true,
  charset: "utf8",
});
chmodSync("dist/cli/main.js", 0o755);
